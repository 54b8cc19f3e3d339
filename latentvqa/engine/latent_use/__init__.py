"""Experiments on a trained model: is its latent used, and does the image speak through it?"""
