from latentvqa.report.text import printable


def test_what_could_steer_a_terminal_is_left_out():
    assert printable("a\x1b[2J\x00\r\n\x9bb") == "a[2Jb"
    assert printable("日本語 ✓") == "日本語 ✓"
