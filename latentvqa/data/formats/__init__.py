"""Image files by format: what is told by their bytes, and what of them is pixels."""
