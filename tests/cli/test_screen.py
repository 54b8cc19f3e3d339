"""What stands below a table gives way before the table does."""

from rich.text import Text

from latentvqa.cli.screen import rows_above
from latentvqa.report.console import PlainConsole

LONG, SHORT = [Text("\n" * 9)], [Text("verdict")]


def test_the_fullest_choice_that_leaves_room_for_rows_is_taken():
    for height, rows, below in ((40, 22, LONG), (21, 3, LONG), (20, 11, SHORT), (5, 3, SHORT)):
        console = PlainConsole(width=80, height=height)
        assert rows_above(console, LONG, SHORT) == (rows, below)
