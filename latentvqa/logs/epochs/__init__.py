"""From rows of a log to one record per epoch."""
