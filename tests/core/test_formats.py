import pytest

from latentvqa.core.formats import newer_format


@pytest.mark.parametrize("found", [1, 2, 0, -1, None, "3", 3.0, True, [3], {}])
def test_what_is_no_higher_number_is_not_newer(found):
    assert newer_format("log", found, 2) is None


def test_a_newer_format_is_told_with_both_numbers_and_what_to_do():
    assert newer_format("a/log", 1234, 2) == (
        "a/log: written by a newer LatentVQA (format 1,234; this one reads up to 2): upgrade "
        "LatentVQA to use it"
    )
