"""A gallery as a person uses it, in a real browser."""

from io import BytesIO

import pytest
from PIL import Image

from latentvqa.report.gallery.writer import GalleryRow
from tests.browser import CHROMIUM, NARROW, NO_BROWSER, opened
from tests.report.gallery.made import BLUE, EVIL, FEW, RED, gallery

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER),
]
MANY = tuple(
    (GalleryRow(f"{number}.png", f"question {number}?", "yes", number / 500), (number % 250, 9, 9))
    for number in range(500)
)


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    return gallery(tmp_path_factory.mktemp("gallery") / "few.html").as_uri()


def shown(page):
    """The questions on the page, from the top."""
    return page.eval_on_selector_all(
        ".card.placed", "cards => cards.map(one => one.querySelector('.question').textContent)"
    )


def focused_again(page, label):
    """Wait for the focus: it returns once the browser has told the page that a dialog closed."""
    page.locator(f"[aria-label='{label}']:focus").wait_for(state="attached")


def buttons(page):
    """The buttons that narrow the page, as they read."""
    return page.locator(".marks button:visible").all_inner_texts()


def colour_at(page, selector, number=0):
    """The colour in the middle of what a selector finds, as it is on the screen."""
    element = page.locator(selector).nth(number)
    element.scroll_into_view_if_needed()
    page.wait_for_timeout(200)  # pictures are decoded beside
    picture = Image.open(BytesIO(element.screenshot())).convert("RGB")
    return picture.getpixel((picture.width // 2, picture.height // 2))


def is_near(one, other):
    return all(abs(left - right) < 12 for left, right in zip(one, other, strict=True))


def test_it_is_narrowed_searched_and_sorted(few):
    every = [row.question for row, _ in FEW]
    every[3] = EVIL.translate({0x1B: r"\x1b", 0x202E: r"\u202e", 0xDCFF: r"\udcff", 9: r"\t"})
    with opened(few) as page:
        requests = []
        page.on("request", lambda request: requests.append(request.url))
        assert shown(page) == every
        assert buttons(page) == ["All 6", "Right 1", "Wrong 2", "Flagged 3", "Errors 1"]
        for mark, places in (("wrong", [1, 5]), ("error", [2]), ("flagged", [1, 2, 3])):
            page.click(f"[data-mark={mark}]")
            assert shown(page) == [every[place] for place in places]
        page.keyboard.press("/")
        page.keyboard.type("MAU gi")  # case and accents do not matter, the words may be apart
        assert shown(page) == [every[1]]
        assert buttons(page) == ["All 1", "Right 0", "Wrong 1", "Flagged 1", "Errors 0"]
        assert page.inner_text(".count") == "1 of 6"
        page.fill("#words", "nothing like it")
        page.click("#reset")
        assert shown(page) == every
        page.fill("#words", "b/10")
        assert shown(page) == [every[0], every[1], every[5]]
        page.fill("#words", "")

        page.fill("#below", "40")  # 0.4 is not below
        assert shown(page) == [every[3], every[5]]
        assert page.inner_text("#below-text") == "below 40 %"
        page.fill("#below", "101")
        for order, places in (
            ("least", [3, 5, 1, 4, 0, 2]),
            ("surest", [0, 4, 1, 5, 3, 2]),
            ("name", [3, 4, 0, 1, 5, 2]),
            ("file", range(6)),
        ):
            page.select_option("#order", order)
            assert shown(page) == [every[place] for place in places], order
        assert [url for url in requests if not url.startswith("data:image/")] == []


def test_one_answer_is_opened_and_walked_from_with_the_keyboard(few):
    with opened(few) as page:
        page.select_option("#order", "least")
        assert is_near(colour_at(page, "button.picture"), BLUE)
        page.locator("button.picture").nth(1).focus()
        page.keyboard.press("Enter")
        large = page.locator("#large")
        assert large.locator(".question").inner_text() == "how many?"
        assert is_near(colour_at(page, ".large-picture"), RED)
        assert page.inner_text(".place") == "2 of 6"
        assert page.locator(".same button").all_inner_texts() == [
            "what colour? red",
            "là màu gì? màu đỏ",
        ]
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        assert page.inner_text(".place") == "4 of 6"
        assert large.locator(".given").inner_text() == "(empty)"
        for _ in range(5):  # none after the last
            page.keyboard.press("ArrowRight")
        assert large.locator(".error").inner_text() == "error b/broken.jpg: not an image"
        assert page.inner_text(".large-picture") == "no picture"
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Escape")
        assert not large.is_visible()
        focused_again(page, "Open b/10.jpg")
        page.keyboard.press("Enter")
        assert page.inner_text(".place") == "5 of 6"
        page.click(".same button >> nth=0")
        assert page.inner_text(".place") == "3 of 6"
        page.mouse.click(3, 3)  # beside it
        assert not large.is_visible()


def test_without_scripts_every_row_is_read_and_its_picture_seen(few):
    with opened(few, has_script=False) as page:
        assert page.locator(".card:visible").count() == 6
        assert not page.locator(".tools").is_visible()
        colours = [RED, RED, None, BLUE, BLUE, RED]
        for number, colour in enumerate(colours):
            if colour is not None:
                assert is_near(colour_at(page, ".card .picture", number), colour), number
        summary = page.locator(".summary").bounding_box()
        assert summary["y"] < page.locator(".card").first.bounding_box()["y"]


@pytest.mark.parametrize(("width", "is_dark"), [(NARROW, True), (NARROW, False), (1280, True)])
def test_it_fits_the_window_and_large_too(few, width, is_dark):
    fits = "document.documentElement.scrollWidth <= innerWidth"
    with opened(few, width=width, is_dark=is_dark) as page:
        assert page.evaluate(fits)
        page.locator("button.picture").nth(3).click()
        assert page.evaluate(fits)
        box = page.locator("#large").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        ground = page.evaluate("getComputedStyle(document.querySelector('#large')).backgroundColor")
        assert ground == ("rgb(18, 22, 28)" if is_dark else "rgb(255, 255, 255)")


def test_of_many_rows_the_first_are_placed_and_more_as_one_scrolls(tmp_path):
    with opened(gallery(tmp_path / "many.html", MANY).as_uri()) as page:
        assert page.inner_text(".count") == "500 of 500"
        assert len(shown(page)) == 40
        assert page.locator(".card img").count() < 40
        page.keyboard.press("End")
        page.locator(".card.placed").nth(79).wait_for(state="attached")
        page.select_option("#order", "surest")
        assert shown(page)[:2] == ["question 499?", "question 498?"]
        assert len(shown(page)) in (40, 80)  # the window may stand where more are wanted
        page.locator(".card", has_text="question 499?").locator("button.picture").click()
        page.locator("dialog[open]").wait_for()
        for _ in range(70):  # beyond what is placed
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Escape")
        focused_again(page, "Open 429.png")
        page.fill("#words", "question 42")  # 420 to 429, and 42, 142 ... 442
        assert len(shown(page)) == 10 + 5


def test_all_that_is_shown_is_printed(tmp_path):
    with opened(gallery(tmp_path / "many.html", MANY).as_uri()) as page:
        page.fill("#below", "50")
        page.pdf(path=tmp_path / "printed.pdf")
        assert len(shown(page)) == page.locator(".card.placed img").count() == 250
        page.emulate_media(media="print")
        told, first = (
            page.locator(one).first.bounding_box() for one in (".summary", ".card.placed")
        )
        assert told["y"] + told["height"] <= first["y"]  # how many, before all of them
        different = page.evaluate("new Set([...document.images].map(one => one.src)).size")
    assert different > 100
    assert (tmp_path / "printed.pdf").read_bytes().count(b"/Subtype /Image") == different
