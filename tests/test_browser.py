"""The browser of the tests runs scripts, is cut off, and tells what goes wrong in a page."""

import pytest

from tests.browser import CHROMIUM, NO_BROWSER, opened

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER),
]


def test_a_page_is_shown_and_its_script_runs(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<p id=a></p><script>a.textContent = innerWidth</script>")
    with opened(page.as_uri(), width=390) as shown:
        assert shown.inner_text("#a") == "390"
    with opened(page.as_uri(), has_script=False) as shown:
        assert shown.inner_text("#a") == ""


def test_an_error_of_a_page_is_an_error_of_its_test(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<script>throw new Error('broken')</script>")
    with pytest.raises(AssertionError, match="broken"), opened(page.as_uri()):
        pass
