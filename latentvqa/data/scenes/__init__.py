"""Drawn scenes with questions about them: data for a first run and for measurements."""
