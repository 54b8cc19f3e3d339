from dataclasses import replace

from latentvqa.core.latent_use import LatentUseVerdict
from latentvqa.core.results.evaluation import TypeScores
from latentvqa.report.page.confusion import confusion_of
from latentvqa.report.page.results import TableResult, result_row, result_view
from tests.report.evaluation.made import made_evaluation, share
from tests.report.page.made import USE, WHOLE


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def view_of(found, **others):
    return result_view(TableResult("t", found, **others))


def test_a_row_holds_the_score_what_stands_beside_it_and_the_verdict():
    row = result_row(TableResult("test", WHOLE))
    assert (row["name"], row["questions"], row["images"]) == ("test", "1,000", "250")
    assert plain(row["score"]["value"]) == "75.0 %" and row["score"]["low"] == "73.00"
    assert (plain(row["prior"]), plain(row["other"])) == ("50.0 %", "35.0 %")
    assert (row["verdict"], row["level"]) == ("used, image and question", "ok")


def test_what_was_not_recorded_is_left_out():
    row = result_row(TableResult("test", made_evaluation(priors={})))
    assert (row["prior"], row["other"], row["verdict"], row["level"]) == ("-", "-", "-", "")
    view = view_of(made_evaluation(types={}, seen_answers=None))
    assert view["types"] == view["seen"] == view["maps"] == []
    assert view["confusion"] is None and view["latent"] is None


def test_types_come_the_largest_first_with_their_prior():
    types = {
        "a": TypeScores(share(0.5, 10), None),
        "b": TypeScores(share(0.25, 90), 0.5),
        "c": TypeScores(share(0.75, 90), 0.25),
    }
    rows = view_of(made_evaluation(types=types))["types"]
    assert [row["name"] for row in rows] == ["b", "c", "a"]
    assert [row["prior"] for row in rows] == ["50.00", "25.00", None]
    assert rows[2]["prior_text"] == "-"


def test_scores_by_how_often_an_answer_was_trained_on_need_two_bands():
    assert [row["name"] for row in view_of(WHOLE)["seen"]] == ["0 times", "1 to 9 times"]
    seen = replace(WHOLE.seen_answers, exact_match_by_times_trained_on={"0": share(0.1)})
    assert view_of(replace(WHOLE, seen_answers=seen))["seen"] == []


def test_every_score_has_its_name_and_unit():
    rows = [(name, plain(value), ends) for name, value, ends, _ in view_of(WHOLE)["measures"]]
    assert rows == [
        ("exact match", "75.0 %", "73.0 to 77.0"),
        ("answer loss, nats per answer", "1.25", "1.00 to 1.50"),
        ("without images", "30.0 %", ""),
        ("without images", "50.0 %", ""),
        ("most that is possible", "99.0 %", ""),
    ]


def test_the_exchanges_that_decide_come_first_and_others_are_folded_away():
    latent = view_of(WHOLE)["latent"]
    assert [row["name"] for row in latent["arms"]] == [
        "posterior mean",
        "posterior sample",
        "other image's latents",
        "blank image",
        "another image",
    ]
    assert {row["section"] for row in latent["more"]} == {"noise (std)", "without one token"}
    assert latent["arms"][0]["change"] == "" and latent["arms"][2]["change"].startswith("-40.0 (")
    assert ("cosine of two examples", "0.12") in latent["facts"]


def test_an_exchange_of_a_name_that_is_not_known_is_shown():
    use = replace(USE, arms={**USE.arms, "new_arm": USE.arms["posterior_mean"]})
    arms = view_of(replace(WHOLE, latent_use=use))["latent"]["arms"]
    assert "new arm" in [row["name"] for row in arms]


def test_a_verdict_that_is_bad_news_has_its_colour():
    bad = replace(USE, verdict=LatentUseVerdict("ignored", "It is ignored."))
    assert result_row(TableResult("t", replace(WHOLE, latent_use=bad)))["level"] == "critical"
    none = view_of(replace(WHOLE, latent_use=replace(USE, verdict=None)))["latent"]
    assert (none["word"], none["sentence"]) == ("", "")


def test_confidence_confusion_and_attention_have_their_pictures():
    confusion = confusion_of([("yes", "yes"), ("no", "yes")])
    view = view_of(WHOLE, confusion=confusion)
    assert [title for title, *_ in view["confidence"]["charts"]] == [
        "Reliability",
        "Risk and coverage",
    ]
    facts = {name: plain(value) for name, value in view["confidence"]["facts"]}
    assert facts["right among the surest 50 %"] == "95.0 %"
    assert facts["answerable at a risk of 5 %"] == "40.0 %"
    assert view["confusion"]["names"] == ["no", "yes"]
    assert len(view["maps"]) == 1 + 2 + 1  # all tokens, each of two, the scale


def test_maps_that_do_not_depend_on_the_question_come_with_a_notice():
    for divergence, words in ((0.0005, "divergence 0.0005 bits"), (0.03, ""), (None, "")):
        use = replace(USE, map_divergence=divergence)
        said = view_of(replace(WHOLE, latent_use=use))["maps_notice"]
        assert words in said and bool(said) == bool(words)
