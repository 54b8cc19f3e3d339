"""An ablation as tables, files and a picture."""
