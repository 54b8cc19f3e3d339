"""Rules of single languages: what is one word in them although it is spelt in two ways."""
