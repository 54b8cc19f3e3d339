"""Records and findings as tables, curves, pages and JSON. Nothing in here prints."""
