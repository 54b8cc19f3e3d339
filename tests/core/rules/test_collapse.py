import pytest

from latentvqa.core.rules.rule import Advice
from tests.core.rules.found import NEED, found, info
from tests.runs import make_run


@pytest.mark.parametrize(
    ("bound", "gain", "is_found"),
    [
        (0.49 * NEED, 0.09 * NEED, True),
        (0.51 * NEED, 0.09 * NEED, False),
        (0.49 * NEED, 0.11 * NEED, False),
    ],
)
def test_collapse_needs_neither_capacity_nor_answers(bound, gain, is_found):
    finding = found("collapse", make_run(6, val=info(bound, gain)))
    assert (finding is not None) is is_found
    assert not is_found or finding.level == "critical"


@pytest.mark.parametrize(("units", "is_found"), [(0, True), (1, False)])
def test_no_active_unit_is_a_collapse(units, is_found):
    nothing = info(12.0, 0.01, active_units=units)
    assert (found("collapse", make_run(6, val=nothing)) is not None) is is_found


def test_what_is_learnt_in_full_has_not_collapsed():
    assert found("collapse", make_run(6, val=info(12.0, 1.6, active_units=0))) is None


@pytest.mark.parametrize(("epochs", "level"), [(5, "warning"), (6, "critical")])
def test_an_early_collapse_is_a_warning(epochs, level):
    assert found("collapse", make_run(epochs, val=info(0.1, 0.01))).level == level


def test_an_early_collapse_waits():
    early = found("collapse", make_run(5, val=info(0.1, -0.2)))
    assert early.advice is None
    assert early.sentence == (
        "So far the latent holds too little: the latent can carry at most 0.1 of the 1.7 nats "
        "that the answers need, and nothing is learnt."
    )


def test_advice_on_collapse_follows_the_evidence():
    gone = info(0.1, 0.01)
    active = found("collapse", make_run(6, val=gone))
    assert active.advice == Advice("kl.factor", 0.2, 0.15)
    assert "less KL pressure" in active.sentence
    rising = make_run(6, val=gone, kl_weight=5.0, effective_kl_weight=1.0)
    assert found("collapse", rising).advice == Advice("kl.warmup_epochs", 15, 30)
    free = found("collapse", make_run(6, val=gone, train={"kl_after": 0.0}))
    assert "not learning or is bypassed" in free.sentence
    assert free.advice == Advice("latent.temperature_warmup_epochs", 0, 6)
    ramped = make_run(
        6, lambda n: {"val": gone, "train": {"kl_after": 0.0, "temperature": min(0.2 * n, 0.6)}}
    )
    assert found("collapse", ramped).advice == Advice("latent.temperature", 0.6, 0.3)
    unknown = make_run(6, val={**gone, "kl_after": None}, train={"kl_after": None})
    assert found("collapse", unknown).advice is None
