"""Published data sets and folder layouts, turned into question tables."""
