"""The page of a run as a person sees and uses it, in a real browser."""

import shutil
from pathlib import Path

import pytest

from latentvqa.core.results.samples import SampleAnswer
from latentvqa.engine.evaluate_run import EvaluationRequest, evaluate_run
from latentvqa.engine.run_report.page import run_report
from latentvqa.engine.runs.samples import write_samples
from latentvqa.engine.runtime.observer import Observer
from latentvqa.history import read_history
from latentvqa.report.page.document import RunReport, render_report, render_reports
from tests.browser import CHROMIUM, NARROW, NO_BROWSER, WIDE, opened
from tests.report.diagnosis.judged import judged
from tests.runs import make_run

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER),
]
OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"
WIDTH = "document.documentElement.scrollWidth"
# whether every text stands out from what is behind it, 4.5 to 1 or better
FAINT = """() => {
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92
    : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b };
  const rgb = c => c.match(/[\\d.]+/g).map(Number);
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e)
    .backgroundColor); if (c.length < 4 || c[3] === 1) return c.slice(0, 3) } return [255,255,255]};
  return [...document.querySelectorAll('p,small,td,th,dd,dt,summary,h1,h2,h3,.tag,.kind')]
    .filter(e => e.checkVisibility() && e.innerText.trim() && !e.closest('.confusion'))
    .map(e => { const [a, b] = [light(rgb(getComputedStyle(e).color).slice(0, 3)),
      light(behind(e))].sort((a, b) => b - a); return [(a + .05) / (b + .05), e.innerText] })
    .filter(([ratio]) => ratio < 4.5) }"""

# pairs of texts of a chart, and of texts and marks, that lie on one another by more than a pixel
TOUCHING = """() => [...document.querySelectorAll('.charts svg, .squares svg')].flatMap(svg => {
  const boxes = [...svg.querySelectorAll('text, .start')].filter(e => !e.closest('.tip'))
    .map(e => [e.textContent || 'mark', e.getBoundingClientRect()])
    .map(([told, {left, right, top, bottom, height}]) => // what letters take of a line
      [told, {left, right, top: top + height / 7, bottom: bottom - height / 7}]);
  return boxes.flatMap(([a, one], n) => boxes.slice(n + 1).filter(([, other]) =>
    Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1 &&
    Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 1)
    .map(([b]) => [svg.getAttribute('aria-label'), a, b])) })"""
FADES = """() => [...document.querySelectorAll('.wide')].filter(e => e.checkVisibility())
  .map(e => { const fade = () => parseFloat(getComputedStyle(e).getPropertyValue('--fade'));
    const before = fade(); e.scrollLeft = 9999; return [e.scrollWidth > e.clientWidth, before]})"""


def kept_answer(epoch, row):
    """An answer that changes with every epoch for the first question, once for the others."""
    is_right = epoch % 2 == 0 if row == 0 else epoch > 7 * row
    said = "yes" if is_right else f"no, what is seen after {epoch if row == 0 else 'the first'}"
    return SampleAnswer(epoch, row, "0.png", f"question {row}?", said, 0.5, "yes", is_right)


@pytest.fixture(scope="module")
def reports(finished, tmp_path_factory):
    """The evaluated run twice, with all that a page shows."""
    run = Path(shutil.copytree(finished.run, tmp_path_factory.mktemp("runs") / "run"))
    for epoch in range(60):
        write_samples(run, [kept_answer(epoch, row) for row in range(8)])
    evaluate_run(EvaluationRequest(run, is_latent_use_examined=True), Observer())
    report = run_report(read_history(run), 12, pytest.fail)
    return [report, report]


@pytest.fixture(scope="module")
def pages(reports, tmp_path_factory):
    """Addresses of the page of a run and of that of two runs."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "one.html").write_text(render_report(reports[0]), encoding="utf-8")
    (folder / "two.html").write_text(render_reports(reports), encoding="utf-8")
    return [(folder / name).as_uri() for name in ("one.html", "two.html")]


@pytest.mark.parametrize(("width", "is_dark"), [(WIDE, False), (WIDE, True), (NARROW, True)])
def test_a_page_asks_for_nothing_fits_its_window_and_is_readable(pages, width, is_dark):
    with opened("about:blank", width=width, is_dark=is_dark) as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        for address in pages:
            page.goto(address)
            for script in ("0", OPEN_ALL):
                page.evaluate(script)
                assert page.evaluate(WIDTH) <= width
            assert page.evaluate(FAINT) == []
        assert {url for url in asked if not url.startswith("data:")} == set(pages)


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_nothing_of_a_chart_lies_on_another_thing(pages, width, tmp_path):
    small = judged(make_run(20, beta=0.0105))  # its axis has ticks as 0.0025
    (tmp_path / "small.html").write_text(render_report(RunReport(small)), encoding="utf-8")
    for address in (*pages, (tmp_path / "small.html").as_uri()):
        with opened(address, width=width) as page:
            page.evaluate(OPEN_ALL)
            assert page.evaluate(TOUCHING) == []


def test_a_table_that_is_wider_than_a_telephone_fades_until_its_end(pages):
    with opened(pages[1], width=NARROW) as page:
        before = page.evaluate(FADES)
        assert [is_wide for is_wide, _ in before].count(True) >= 1
        assert all((fade > 0) == is_wide for is_wide, fade in before)
        page.wait_for_timeout(200)
        assert [fade for _, fade in page.evaluate(FADES)] == [0.0] * len(before)


def test_a_pointer_on_a_curve_shows_the_epoch_and_its_values_without_a_script(pages):
    with opened(pages[0], has_script=False) as page:
        chart = page.locator(".charts figure", has_text="Exact match").first
        strip = chart.locator(".at").nth(2)
        assert not strip.locator(".tip").is_visible()
        strip.locator("> .hit").hover()
        assert strip.locator(".tip").is_visible()
        told = strip.locator(".tip text").all_text_contents()
        assert told[0] == "epoch 2" and told[1] == "training" and float(told[2]) >= 0.0


def test_an_answer_opens_large_and_closes(pages):
    with opened(pages[0], has_script=False) as page:
        large = page.locator("dialog").first
        small = page.locator(".open").first.bounding_box()
        page.locator(".open").first.click()
        assert large.is_visible()
        assert large.locator("svg").bounding_box()["height"] > 1.5 * small["height"]
        assert large.locator(".question").inner_text() == (
            page.locator(".sample figcaption .question").first.inner_text()
        )
        page.keyboard.press("Escape")
        assert not large.is_visible()
        page.locator(".open").nth(3).press("Enter")
        page.locator("dialog").nth(3).get_by_role("button", name="Close").click()
        assert page.locator("dialog:popover-open").count() == 0


def test_from_one_large_answer_a_pointer_goes_to_the_next_which_takes_its_place(pages):
    with opened(pages[0], has_script=False) as page:
        shown = page.locator("dialog:popover-open")
        page.locator(".open").nth(1).click()
        for step, number in ((1, 2), (1, 3), (0, 2)):
            shown.locator(".step").nth(step).click()
            assert [one.get_attribute("id") for one in shown.all()] == [f"r0-a{number}"]
        page.keyboard.press("Escape")
        assert shown.count() == 0
        page.locator(".open").first.click()
        assert shown.get_by_role("button", name="Previous").is_disabled()
        assert shown.locator(".place").inner_text() == f"1 of {page.locator('.open').count()}"


def test_the_keyboard_goes_on_to_the_next_large_answer_and_back(pages):
    with opened(pages[0], has_script=False) as page:
        top = page.locator("dialog:focus-within")
        page.locator(".open").first.press("Enter")
        for number in (1, 2):
            page.keyboard.press("Enter")  # what has the focus is what goes on
            assert top.get_attribute("id") == f"r0-a{number}"
        page.keyboard.press("Escape")
        assert [one.get_attribute("id") for one in page.locator("dialog:popover-open").all()] == (
            ["r0-a0", "r0-a1"]
        )


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_many_changes_of_an_answer_scroll_within_their_own_box(pages, width):
    with opened(pages[0], width=width) as page:
        boxes = page.locator(".stretches")
        assert boxes.count() == 8
        changing, calm = boxes.nth(0), boxes.nth(1)
        assert changing.locator("li").count() == 60 and calm.locator("li").count() == 2
        heights = changing.evaluate("e => [e.scrollHeight, e.clientHeight]")
        assert heights[0] > 5 * heights[1]
        assert calm.evaluate("e => e.scrollHeight <= e.clientHeight + 1")
        assert page.locator(".strip svg").first.locator("rect").count() == 60
        assert page.evaluate(WIDTH) <= width
        page.emulate_media(media="print")
        assert changing.evaluate("e => e.scrollHeight <= e.clientHeight + 1")


def test_a_name_in_the_comparison_unfolds_its_run(pages):
    with opened(pages[1]) as page:
        assert not page.locator("#run-1").is_visible()
        page.locator("a[href='#run-1']").first.click()
        page.locator("#run-1").wait_for(state="visible")


def test_on_paper_it_is_light_and_nothing_is_cut(pages):
    with opened(pages[0], width=688, is_dark=True) as page:  # a page of A4 within its margins
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        page.evaluate(OPEN_ALL)
        assert page.evaluate(WIDTH) <= 688
        assert len(page.pdf(format="A4", print_background=True)) > 50_000
