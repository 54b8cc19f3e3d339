"""What a table of the user's most likely holds; a proposal, for the user to confirm."""
