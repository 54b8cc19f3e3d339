"""Pretrained language models of the transformers library at the ends of the model."""
