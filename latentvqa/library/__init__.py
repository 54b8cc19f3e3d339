"""What Python code calls, a file per verb; ``import latentvqa`` names it all."""
