"""From the records of a run to findings, a verdict and advice."""
