"""Sets of hostile and odd inputs, made from a seed, each with what must become of it."""
