"""A run folder: its files, its checkpoints, and the model in them."""
