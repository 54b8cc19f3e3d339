from latentvqa.core.records import KLConvention, RunHeader
from latentvqa.core.rules.rule import severity, views
from latentvqa.core.rules.thresholds import KLHealthThresholds
from tests.runs import HEADER, make_run

LIMITS = KLHealthThresholds()


def test_levels_rise():
    assert severity("ok") < severity("info") < severity("warning") < severity("critical")


def test_a_view_knows_the_best_validation_so_far_and_nothing_later():
    losses = [1.0, 0.8, None, 0.9, 0.7]
    records = make_run(5, lambda n: {"val": {"answer_loss": losses[n]}})
    assert views(HEADER, records, LIMITS)[2].best_val == [0, 1, 1, 1, 4]
    assert views(HEADER, records, LIMITS)[1].last(3) == records[:2]


def test_what_a_rule_needs_of_the_convention_is_asked_for_by_its_key():
    header = RunHeader(kl=KLConvention(unknown=("reduction", "tokens", "dims")))
    view = views(header, make_run(1), LIMITS)[0]
    assert view.missing("free_bits") is None
    assert view.missing("dims") is None  # a mean over dims does not need their number
    assert view.missing("reduction", "tokens").reason == (
        "the log does not say kl.reduction, latent.tokens (give --set kl.reduction=... "
        "--set latent.tokens=...)"
    )
