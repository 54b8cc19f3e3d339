"""``python -m latentvqa``: the same command line, for launchers that need a module."""

from latentvqa.cli import main

main()
