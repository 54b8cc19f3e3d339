"""Which column of a foreign log is which measure."""
