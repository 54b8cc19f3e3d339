"""What stands in the file of a gallery; how it behaves in a browser: test_page.py."""

import re
import tracemalloc
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from latentvqa.outputs import NamedOutput
from latentvqa.report.gallery.writer import GalleryRow, GalleryWriter
from tests.report.gallery.made import EVIL, FEW, gallery, noise


class Elements(HTMLParser):
    """Every start tag with its attributes, and all text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, text):
        self.texts.append(text)

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = gallery(tmp_path_factory.mktemp("gallery") / "few.html", title=EVIL)
    return path.read_bytes().decode("ascii")


def test_every_row_is_plain_html_in_the_order_of_the_file(page):
    cards = Elements(page).named("li")
    rows = [card for card in cards if "card" in card.get("class", "")]
    assert [card["id"] for card in rows] == [f"row-{number}" for number in range(1, 7)]
    marks = [card["data-marks"] for card in rows]
    assert marks == ["right", "flagged wrong", "error flagged", "flagged", "", "wrong"]
    sure = [card.get("data-confidence") for card in rows]
    assert sure == ["0.900000", "0.400000", None, "0.050000", "0.600000", "0.200000"]
    text = " ".join(" ".join(Elements(page).texts).split())
    for shown in ("màu đỏ", "✗ wrong expected blue", "40.0 % blue 30.0 % (empty) 10.0 %", "q7"):
        assert shown in text
    assert "error b/broken.jpg: not an image" in text
    assert "note 2 of 5 words unknown" in text
    assert "expected red" not in text
    assert "6 answers about 4 images, 1 error, 2 with a note, 1 of 3 right (33.3 %)" in text


def test_a_picture_stands_in_the_file_once_and_all_its_rows_show_it(page):
    elements = Elements(page)
    pictures = elements.named("image")
    assert [one["id"] for one in pictures] == ["picture-1", "picture-4", "picture-5"]
    assert page.count('href="data:image/') == 3
    assert [one["href"] for one in elements.named("use")] == ["#picture-1", "#picture-1"]
    assert [one.get("data-carrier") for one in elements.named("li")][1] == "row-1"
    assert elements.texts.count("no picture") == 1


def test_what_comes_from_data_is_text_and_nothing_else(page):
    elements = Elements(page)
    assert len(elements.named("script")) == 1
    shown = EVIL.translate({0x1B: r"\x1b", 0x202E: r"\u202e", 0xDCFF: r"\udcff", 9: r"\t"})
    whole = "".join(elements.texts)
    # title and heading; question, answer, note, reference, name and id of a row
    assert whole.count(shown) == 2 + 6
    assert [one["aria-label"] for one in elements.named("svg")].count(shown) == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", page)


def test_only_our_script_runs_and_nothing_is_asked_for(page):
    elements = Elements(page)
    policy = next(one for one in elements.named("meta") if "http-equiv" in one)["content"]
    script = page.split("<script>")[1].split("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    addresses = [
        value
        for _, attributes in elements.tags
        for name, value in attributes.items()
        if name in ("src", "href", "action", "srcset")
    ]
    assert addresses and all(one.startswith(("data:image/", "#picture-")) for one in addresses)


def test_a_picture_that_comes_with_a_later_row_is_shown_from_there_on(tmp_path):
    rows = [(GalleryRow("a.png", f"{one}?", "x", 0.5), one and (9, 9, 9)) for one in (None, 1, 2)]
    elements = Elements(gallery(tmp_path / "p.html", rows).read_text("ascii"))
    assert elements.texts.count("no picture") == 1
    assert [one["id"] for one in elements.named("image")] == ["picture-2"]
    assert [one["href"] for one in elements.named("use")] == ["#picture-2"]


def test_a_gallery_without_rows_is_a_whole_page(tmp_path):
    text = gallery(tmp_path / "p.html", ()).read_text("ascii")
    assert "0 answers about 0 images</p>" in text and text.rstrip().endswith("</html>")


class WriteOnly:
    """A file of which nothing but writing is asked, as a pipe."""

    def __init__(self):
        self.size = self.largest = 0

    def write(self, content):
        self.size += len(content)
        self.largest = max(self.largest, len(content))


def test_pictures_go_into_the_file_and_not_into_memory():
    file = WriteOnly()
    writer = GalleryWriter(file, title="many")
    writer.add(FEW[0][0], noise(0))  # what is loaded once is loaded now
    tracemalloc.start()
    for number in range(60):
        writer.add(GalleryRow(f"{number}.png", "what?", "noise", 0.5), noise(number))
        writer.add(GalleryRow(f"{number}.png", "why?", "noise", 0.5), None)
    writer.finish()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert file.size > 10e6
    assert kept < 0.2e6
    assert peak < 12 * file.largest


def test_it_is_written_as_a_draft_that_is_whole_or_absent(tmp_path):
    output = NamedOutput("--html", tmp_path / "p.html")
    with pytest.raises(KeyboardInterrupt), output.draft() as draft:
        GalleryWriter(draft, title="stopped").add(FEW[0][0], None)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with output.draft() as draft:
        writer = GalleryWriter(draft, title="whole")
        writer.add(FEW[0][0], None)
        writer.finish()
    assert (tmp_path / "p.html").read_text("ascii").rstrip().endswith("</html>")
