"""The page of a run: its log, its evaluations and sample answers."""
