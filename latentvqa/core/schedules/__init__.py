"""What changes from epoch to epoch, as functions of the epoch."""
