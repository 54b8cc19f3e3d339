"""Look at question tables before anything is trained on them."""
