"""The scores of a trained model on a table, and their files."""
