"""Question tables, images, batches and built-in scenes."""
