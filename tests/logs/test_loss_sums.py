"""What total, reconstruction and KL say about each other, and what they leave open."""

import pytest

from tests.logs.conftest import has_note, table

RECON = [100.0, 80.0, 70.0, 66.0, 64.0]
KL = [4.0, 7.0, 9.5, 10.5, 11.0]


def rows(total, kl=KL, **more):
    return [
        {
            "epoch": e,
            "loss": round(total(e), 6),
            "recon_loss": RECON[e],
            "kl_loss": round(kl[e], 9),
            **{name: value(e) for name, value in more.items()},
        }
        for e in range(5)
    ]


def weights(history):
    return [record.effective_kl_weight for record in history.records]


def test_a_weight_that_nobody_logged_follows_from_the_sums(read):
    history = read("log.csv", table(rows(lambda e: RECON[e] + 0.25 * KL[e])))
    assert weights(history) == [0.25] * 5
    assert history.records[-1].train.kl_share == pytest.approx(0.25 * 11.0 / 66.75)
    assert has_note(history, "total - reconstruction is 0.25 x KL")


def test_a_warm_up_that_nobody_logged_follows_from_the_sums(read):
    history = read("log.csv", table(rows(lambda e: RECON[e] + min(e / 3, 1) * KL[e])))
    assert weights(history) == pytest.approx([0.0, 1 / 3, 2 / 3, 1.0, 1.0], rel=1e-3)


@pytest.mark.parametrize("column", ["gan_loss", "perceptual_loss"])
def test_no_warm_up_is_inferred_where_the_total_may_hold_another_loss(read, column):
    content = table(rows(lambda e: RECON[e] + min(e / 3, 1) * KL[e], **{column: lambda e: 0.5}))
    assert weights(read("log.csv", content)) == [None] * 5


def test_sums_that_no_weight_explains_tell_nothing(read):
    history = read("log.csv", table(rows(lambda e: RECON[e] + (5.0, 1.0, 9.0, 2.0, 7.0)[e])))
    assert weights(history) == [None] * 5
    assert history.records[-1].train.kl_share is None


def test_a_kl_that_does_not_move_tells_no_weight_but_one(read):
    still = [2.0] * 5
    assert weights(read("a.csv", table(rows(lambda e: RECON[e] + 6.0, still)))) == [None] * 5
    assert weights(read("b.csv", table(rows(lambda e: RECON[e] + 2.0, still)))) == [1.0] * 5


def test_a_weighted_column_is_divided_by_its_weight(read):
    kl = [1e-3 * value for value in KL]
    content = table(rows(lambda e: RECON[e] + kl[e], kl, kl_weight=lambda e: 1e-3))
    history = read("log.csv", content)
    assert [r.train.kl_raw for r in history.records] == pytest.approx(KL)
    assert has_note(history, "weighted already")


def test_a_logged_weight_that_makes_the_sums_is_the_effective_one(read):
    content = table(rows(lambda e: RECON[e] + 0.5 * KL[e], kl_weight=lambda e: 0.5))
    history = read("log.csv", content)
    assert weights(history) == [0.5] * 5
    assert [r.train.kl_raw for r in history.records] == KL


def test_a_negated_kl_is_turned_where_the_total_proves_it(read):
    kl = [-value for value in KL]
    history = read("log.csv", table(rows(lambda e: RECON[e] + 0.1 * KL[e], kl)))
    assert [r.train.kl_raw for r in history.records] == KL
    assert has_note(history, "sign turned")
    unproven = read("b.csv", table(rows(lambda e: RECON[e] + (3, 1, 4, 1, 5)[e], kl)))
    assert [r.train.kl_raw for r in unproven.records] == kl


def test_a_kl_held_at_a_capacity_explains_its_total(read):
    content = table(
        rows(lambda e: RECON[e] + 3.0 * abs(KL[e] - 2.0 * e), capacity=lambda e: 2.0 * e)
    )
    history = read("log.csv", content)
    assert has_note(history, "total = reconstruction + 3 x abs(KL - capacity)")


def test_the_reconstruction_is_found_where_its_name_is_unknown(read):
    content = table(rows(lambda e: RECON[e] + 0.01 * KL[e], critic_loss=lambda e: 1.0 + e % 2))
    history = read("log.csv", content.replace("recon_loss", "gen_loss"))
    assert [r.train.answer_loss for r in history.records] == RECON
    assert has_note(history, "gen_loss is the reconstruction")


def test_the_printed_precision_is_no_disagreement(read):
    lines = [
        f"epoch {e} loss={RECON[e] + 4.0 * KL[e]:.1f} recon={RECON[e]:.1f} kl={KL[e]:.1f}"
        for e in range(5)
    ]
    assert weights(read("log.txt", "\n".join(lines)))[-1] == pytest.approx(4.0, rel=0.02)


@pytest.mark.parametrize("value", [0.05, 12.0])
def test_a_column_called_rate_is_one_only_where_it_can_be(read, value):
    rates = [value * (1 + e) for e in range(5)]
    content = table(rows(lambda e: RECON[e] + KL[e], rate=lambda e: rates[e]))
    told = [record.train.rate for record in read("log.csv", content).records]
    assert told == ([None] * 5 if value < 1 else rates)
