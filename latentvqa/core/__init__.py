"""Pure rules: values in, values out. No torch, pandas, numpy or I/O in here."""
