"""A diagnosis as tables, curves, pages and JSON."""
