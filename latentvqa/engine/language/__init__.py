"""Pretrained language models of a run: read before the data are encoded, asked once."""
