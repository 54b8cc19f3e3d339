"""An evaluation as tables and pictures."""
