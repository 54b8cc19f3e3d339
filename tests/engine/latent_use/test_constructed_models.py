import pytest

from latentvqa import diagnose
from latentvqa.engine.evaluation.evaluate import evaluate
from latentvqa.engine.runs.loading import load_model
from latentvqa.engine.runtime.observer import Observer
from tests.engine.latent_use.constructed import KINDS, train_constructed

# what a log may name of a latent; "none" where it names none of these
FAULTS = {"leak", "collapse", "memorised", "image_not_used", "latent_ignored"}
NONE = ("none",)

# kind, architecture, are all question texts different, word of the test, verdicts of the log
# that are true: one of them must lead, and none but them may be among its findings
MODELS = [
    ("used", "convolutions", False, "used, image and question", NONE),
    ("used", "transformers", False, "used, image and question", NONE),
    ("used", "frozen features", False, "used, image and question", NONE),
    # the other type is answered from a word in the question, so that no image could matter
    ("used on one type", "convolutions", False, "used, image and question", NONE),
    ("used on one type", "transformers", False, "used, image and question", NONE),
    ("used on one type", "frozen features", False, "used, image and question", NONE),
    # an empty latent carries less than is learnt: a leak. A wide one hides it from the log
    ("bypass", "convolutions", False, "bypassed", ("leak",)),
    ("bypass of a wide latent", "transformers", False, "bypassed", ("leak", "none")),
    ("bypass", "frozen features", False, "bypassed", ("leak",)),
    ("blind", "convolutions", False, "used, question only", ("image_not_used",)),
    ("blind", "transformers", False, "used, question only", ("image_not_used",)),
    ("blind", "frozen features", False, "used, question only", ("image_not_used",)),
    ("memorising", "convolutions", False, "not learnt", ("memorised",)),
    ("memorising", "transformers", False, "not learnt", ("memorised",)),
    ("memorising", "frozen features", False, "not learnt", ("memorised",)),
    # the question, which is all that is known, goes around the latent
    ("presence only", "convolutions", False, "presence only", ("image_not_used", "leak")),
    ("presence only", "transformers", False, "presence only", ("image_not_used", "leak")),
    ("presence only", "frozen features", False, "presence only", ("image_not_used", "leak")),
    ("collapsed", "convolutions", False, "collapsed", ("collapse",)),
    ("collapsed", "transformers", False, "collapsed", ("collapse",)),
    ("collapsed", "frozen features", False, "collapsed", ("collapse",)),
    ("half dead", "convolutions", False, "used, image and question", NONE),
    ("half dead", "transformers", False, "used, image and question", NONE),
    ("half dead", "frozen features", False, "used, image and question", NONE),
    ("used", "convolutions", True, "used, image and question", NONE),
    ("used on one type", "transformers", True, "used, image and question", NONE),
    # two answers in three pass by a latent that is wide enough for all of them
    ("partial bypass", "convolutions", True, "bypassed", ("leak", "none")),
    ("blind", "transformers", True, "used, question only", ("image_not_used",)),
    ("memorising", "frozen features", True, "not learnt", ("memorised",)),
    ("presence only", "frozen features", True, "presence only", ("image_not_used", "leak")),
]


@pytest.mark.heavy
@pytest.mark.parametrize(("kind", "architecture", "is_free_text", "word", "named"), MODELS)
def test_a_model_is_called_what_it_was_built_to_be(
    kind, architecture, is_free_text, word, named, tmp_path_factory
):
    run = tmp_path_factory.getbasetemp() / f"constructed-{kind}-{architecture}-{is_free_text}"
    table = train_constructed(run, kind, architecture, is_free_text)
    with KINDS[kind].built_in():
        model = load_model(run / "last")
        found = evaluate(model, table, Observer(), run=run, latent_use="short")
    assert found.result.latent_use.verdict.word == word, found.result.latent_use.verdict.sentence
    diagnosis = diagnose(run)
    verdict = diagnosis.verdict
    leads = verdict.code if verdict.code in FAULTS else "none"
    assert leads in named, verdict.sentence
    assert {finding.name for finding in diagnosis.open_findings} & FAULTS <= set(named)
