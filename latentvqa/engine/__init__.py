"""Training, evaluation and inference: the rooms where config, data and models meet.

Nothing in here prints: progress and results go to the caller through callbacks
and return values.
"""
