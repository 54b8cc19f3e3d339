"""Files of other tools as rows."""
