"""The results page: runs with their scores, answers and curves as one HTML file."""
