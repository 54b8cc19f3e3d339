"""Measures of a table's rows, with their intervals and tests."""
