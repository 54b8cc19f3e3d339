"""Answers of a trained model to questions about images without answers."""
