"""Answers as texts: when two are equal, and what they are guessed as without looking."""
