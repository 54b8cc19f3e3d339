"""What evaluations and audits find, as plain values that pages, files and programs take."""
