"""The program: what ``latentvqa`` and ``python -m latentvqa`` start.

Signals are heard before anything is loaded, and until the exit code stands.
"""

import os
import sys


def run() -> None:
    """Run the command line and leave the process."""
    _forget_working_folder()
    from latentvqa.stopping import Interrupted, heard_signals, leave  # noqa: PLC0415

    code: object = 0
    with heard_signals():
        try:
            from latentvqa.cli import main  # noqa: PLC0415

            main()
        except SystemExit as leaving:
            code = leaving.code or 0
        except Interrupted as interrupted:  # while it was loaded
            code = interrupted.exit_code
        leave(code if isinstance(code, int) else 1)


def _forget_working_folder() -> None:
    """Import no ``random.py`` or ``timm.py`` that lies where the user works.

    ``python -m`` puts the working folder first; the installed command does not.
    """
    if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:  # noqa: PTH109 - loads less
        del sys.path[0]


if __name__ == "__main__":
    run()
