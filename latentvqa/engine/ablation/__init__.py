"""Several runs that differ in one thing, and their comparison."""
