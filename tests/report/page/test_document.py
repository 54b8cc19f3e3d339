import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from latentvqa.core.diagnosis.diagnose import diagnose
from latentvqa.core.diagnosis.what_if import what_if_free_bits
from latentvqa.core.latent_use import LatentUseVerdict
from latentvqa.report.page.confusion import confusion_of
from latentvqa.report.page.document import RunReport, render_report, render_reports
from latentvqa.report.page.results import TableResult
from latentvqa.report.page.samples import Sample
from tests.report.diagnosis.judged import SICK, judged
from tests.report.page.made import WHOLE
from tests.runs import HEADER, make_epoch, make_run
from tests.strategies import EPOCHS, HEADERS

VOID = {"meta", "br", "img"}


class Balance(HTMLParser):
    """Fails on a tag that is closed wrongly; collects what is seen."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.links = [], [], []
        self.said, self.handlers = [], []

    def handle_data(self, data):
        self.said.append(data.strip())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.links += [value for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def page(header=HEADER, records=None, config=None, samples=(), what_if=None, results=()):
    records = make_run(20) if records is None else records
    run = judged(records, name=header.name, header=header, what_if=what_if)
    return render_report(RunReport(run, config, samples, "Six of seven.", results))


CONFUSION = confusion_of([("yes", "yes"), ("no", "yes")])
MAIN = TableResult("validation split", WHOLE, CONFUSION, is_headline=True)
OTHER = TableResult("other-table", WHOLE, CONFUSION)


def parsed(text):
    balance = Balance()
    balance.feed(text)
    assert balance.open == []
    return balance


def test_the_page_is_whole_and_asks_for_nothing():
    seen = parsed(page(config="[kl]\nfactor = 0.2\n"))
    assert all(link.startswith("#") for link in seen.links)
    assert "script" not in seen.tags
    assert seen.tags.count("svg") >= 6
    text = page()
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_verdict_findings_epochs_and_config_are_on_the_page():
    text = page(config="factor = 0.2", what_if=what_if_free_bits(HEADER, [], 0.05))
    for part in ("1.6 of the 1.7 nats", "KL002", "Rule-of-thumb targets", "factor = 0.2"):
        assert part in text
    assert "no kl_raw to try it on" in text
    assert text.count("<tr>") >= 20


def parts_of_verdict(test):
    """Label, level, tag and text of each part, where the log is healthy."""
    run = judged(make_run(20))
    run = replace(run, diagnosis=diagnose(HEADER, make_run(20), test=test))
    part = r'<dt>(.*?)</dt><dd>(?:<span class="tag (.*?)">(.*?)</span> )?(.*?)</dd>'
    text = render_report(RunReport(run))
    return re.findall(part, text.partition('aria-label="Verdict"')[2].partition("</section>")[0])


def test_the_verdict_says_whether_the_latent_is_used_then_what_the_log_says_and_what_to_do():
    word = "used, image and question"
    latent, log, following = parts_of_verdict(LatentUseVerdict(word, "It is used."))
    assert latent == ("Latent", "ok", word, "It is used.")
    assert log[:3] == ("Log", "ok", "ok") and "1.6 of the 1.7 nats" in log[3]
    assert following == ("Next", "", "", "Ask it: latentvqa demo RUN")
    latent, following = parts_of_verdict(LatentUseVerdict("bypassed", "It goes around."))
    assert latent == ("Latent", "critical", "critical: latent bypassed", "It goes around.")
    log, following = parts_of_verdict(None)
    assert (log[0], following[0]) == ("Log", "Next")


def test_everything_is_escaped():
    evil = "<script>alert('x')</script>&\""
    sample = Sample(evil, evil, evil, 0.5, False, b"\x89PNG", "image/png")
    header = HEADER.__class__(**{**HEADER.__dict__, "name": evil})
    seen = parsed(page(header, config=evil, samples=[sample]))
    assert "script" not in seen.tags
    assert [link for link in seen.links if not link.startswith("#")] == [
        "data:image/png;base64,iVBORw=="
    ]


def test_a_sample_shows_what_was_expected_only_where_it_was_missed():
    right = page(samples=[Sample("How many?", "3", "3", 0.99, True)])
    wrong = page(samples=[Sample("How many?", "4", "3", None, False)])
    assert "<small>expected</small>" not in right
    assert "99.0 % sure" in right
    assert "<small>expected</small> 3" in wrong
    assert "Six of seven." in wrong and "Six of seven." not in page()


def test_every_chart_is_well_formed_and_within_its_box():
    for svg in re.findall(r"<svg.*?</svg>", page(), re.S):
        root = ET.fromstring(svg)
        width, height = (float(v) for v in root.get("viewBox").split()[2:])
        for line in root.iter("{http://www.w3.org/2000/svg}polyline"):
            for point in line.get("points").split():
                x, y = map(float, point.split(","))
                assert 0 <= x <= width
                assert 0 <= y <= height


def test_rate_price_and_findings_are_drawn_over_the_epochs():
    text = page(records=make_run(20, lambda n: SICK if n > 9 else {}, beta=0.004))
    for title in ("Rate, nats", "beta, price", "KL not charged, %", "Findings over"):
        assert title in text
    assert '<path class="start critical"' in text
    assert re.search(r'<rect class="finding-bar critical".*?IN002 collapse</text>', text)


def test_every_epoch_of_a_long_run_is_in_a_table_that_scrolls():
    text = page(records=make_run(200))
    assert '<div class="wide long">' in text
    assert text.count('<td class="left">full</td>') == 185


def test_several_runs_are_folded_below_what_compares_them():
    runs = [judged(make_run(3), name="<a>"), judged([], name="b")]
    text = render_reports([RunReport(run, "factor = 0.2") for run in runs])
    seen = parsed(text)
    # first of the scores, which the log has of the first run, then of what was logged
    assert [link for link in seen.links if link.startswith("#run-")] == ["#run-0", "#run-1"] * 2
    assert seen.tags.count("h1") == 1 and "script" not in seen.tags
    places = [
        text.index(part) for part in ("critical: no epochs", "dotted: training", 'id="run-0"')
    ]
    assert places == sorted(places)
    assert text.count('<details class="run">') == 2
    assert text.count("factor = 0.2") == 2
    assert "use of the latent" not in text


def test_scores_of_several_runs_stand_beside_the_use_of_their_latents():
    runs = [judged(make_run(3), name="a"), judged(make_run(3), name="b")]
    test = LatentUseVerdict("ignored", "It is ignored.")
    runs[1] = replace(runs[1], diagnosis=diagnose(HEADER, make_run(3), test=test))
    text = render_reports([RunReport(run) for run in runs])
    table = text[text.index('<table class="scores">') : text.index("<h2>Runs</h2>")]
    assert ">use of the latent<" in table
    assert re.findall(r"<td>(-|<span.*?)</td></tr>", table.replace("\n", "")) == [
        "-",
        '<span class="tag critical">ignored</span>',
    ]


def test_the_score_comes_first_then_answers_results_curves_and_last_the_configuration():
    sample = Sample("How many?", "3", "3", 0.99, True)
    text = page(config="factor = 0.2", samples=[sample], results=[MAIN, OTHER])
    parts = ("answers are right", ">The question alone<", ">Another image<", 'class="verdict')
    parts += ("How many?", "Question types", "Confusion of answers", ">Reliability<")
    parts += (
        "Use of the latent",
        "Where the latent tokens look",
        ">Evaluations</h2>",
        "other-table:",
    )
    parts += ("other-table:", ">Curves</h2>", ">Findings<", "KL and schedule", ">Epochs<")
    parts += ("factor = 0.2",)
    body = text.partition("<body>")[2]
    places = [body.index(part) for part in parts]
    assert places == sorted(places)
    parsed(text)


def test_the_kl_its_schedule_and_the_epochs_are_folded_away_where_there_are_results():
    assert '<details class="inner">' in page(results=[MAIN])
    assert '<details class="inner" open>' in page()
    assert '<details class="inner">' in page(results=[MAIN]).partition("Curves")[2]


def test_without_an_evaluation_the_log_tells_the_score():
    assert "Validation as it was logged" in page()
    bare = page(records=make_run(3, val={"exact_match": None}))
    assert '<section class="headline">' not in bare


def test_an_answer_opens_large_and_its_image_is_held_once():
    samples = [
        Sample(f"q{n}?", "a", "b", 0.5, False, b"\x89PNG", "image/png", (48, 40), f"{n}.png", kind)
        for n, kind in enumerate(("wrong", "surest wrong", "least sure"))
    ]
    text = page(samples=samples)
    parsed(text)
    assert text.count("data:image/png") == 3
    assert text.count("<dialog ") == 3 and 'href="#r0-a2-image"' in text
    for kind in ("wrong", "surest wrong", "least sure"):
        assert f">{kind}</span>" in text
    assert text.count(">Close</button>") == 3


def test_one_run_needs_no_comparison():
    run = RunReport(judged(make_run(3)))
    assert render_reports([run]) == render_report(run)


def test_a_single_epoch_is_drawn_as_dots():
    text = page(records=make_run(1))
    parsed(text)
    assert "<circle" in text
    assert "<polyline" not in text


def test_a_run_without_epochs_still_has_a_page():
    assert "nothing to judge" in page(records=[])


@given(HEADERS, st.lists(EPOCHS, max_size=3, unique_by=lambda record: record.epoch))
@settings(max_examples=40)
def test_any_record_has_a_page(header, records):
    parsed(page(header, sorted(records, key=lambda record: record.epoch)))


def test_nothing_that_a_user_names_is_markup():
    evil = "</td></script><img src=x onerror=alert(1)>{{ 123 * 1001 }}'\""
    records = [replace(make_epoch(n), stage=f"{evil}{n}") for n in range(3)]
    sample = Sample(
        evil, evil, evil, 0.5, False, b"\xff\xd8", f'x" onload="{evil}', (2, 2), evil, evil
    )
    found = replace(
        WHOLE,
        checkpoint=evil,
        types={evil: WHOLE.types["colour"]},
        protocols={"exact_match": evil},
        priors={evil: 0.5},
        latent_use=replace(WHOLE.latent_use, verdict=LatentUseVerdict("ignored", evil)),
    )
    results = [
        TableResult(evil, found, confusion_of([(evil, "b"), ("b", evil)]), is_headline=is_main)
        for is_main in (True, False)
    ]
    note = f"column {evil} is not known"
    runs = [judged(records, name=f"{evil}{n}", notes=(note,)) for n in range(2)]
    text = render_reports([RunReport(run, evil, [sample], evil, results) for run in runs])
    seen = parsed(text)
    assert "img" not in seen.tags and seen.tags.count("image") == 2
    assert all(link.startswith(("#r", "data:x")) for link in seen.links)
    assert "script" not in seen.tags
    assert "123123" not in "".join(seen.said)
    assert sum(evil in said for said in seen.said) > 20
    assert seen.handlers == []


def test_the_page_stays_as_it_is_where_a_value_is_missing():
    bare = {"kl_raw": None, "kl_after": None, "rate": None}
    text = page(replace(HEADER, seed=None), make_run(2, train=bare, val=bare))
    assert "None" not in text and "Undefined" not in text
    assert "<dt>seed</dt>" not in text and "Configuration" not in text


def test_the_words_on_the_page_are_those_of_the_tables():
    said = parsed(page()).said
    for word in ("not charged, %", "latent dims in use", "overfit ratio", "learnt"):
        assert word in said
    assert "information the answers need" in said
