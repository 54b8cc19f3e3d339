import subprocess
import sys

import jinja2
import pytest

from latentvqa.report.pages import rendered


def test_a_text_is_escaped_and_a_colour_is_known():
    text = rendered("document.html", title="<b>&'\"")
    assert "<title>&lt;b&gt;&amp;&#39;&#34; - LatentVQA</title>" in text
    assert "--ground:#fff;" in text and "--ground:#12161c;" in text
    assert "{{" not in text and "{%" not in text


def test_a_value_that_a_template_lacks_is_our_fault_and_shown():
    with pytest.raises(jinja2.UndefinedError, match="title"):
        rendered("document.html")


def test_the_templates_load_only_where_a_page_is_made():
    program = (
        "import sys\n"
        "from latentvqa.report.page import document\n"
        "assert 'jinja2' not in sys.modules\n"
        "from latentvqa.report.pages import rendered\n"
        "rendered('document.html', title='x')\n"
        "assert 'jinja2' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
