"""Vocabularies as they are built from training texts."""
