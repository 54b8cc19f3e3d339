"""Answers beside their images, as one HTML file that is searched and sorted in the browser."""
