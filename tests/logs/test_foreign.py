import pytest

from tests.logs.conftest import has_note, table

KLS = (5.0, 3.0, 2.0, 4.0)


def rows(**columns):
    return [
        {"epoch": epoch, **{name: of(epoch, kl) for name, of in columns.items()}}
        for epoch, kl in enumerate(KLS)
    ]


@pytest.mark.parametrize("rate", [lambda _, kl: kl / 2, lambda *_: 7.0])
def test_a_rate_that_can_be_none_is_not_read_and_that_is_said(read, rate):
    history = read("log.csv", table(rows(kl_raw=lambda _, kl: kl, rate=rate)))
    assert {record.train.rate for record in history.records} == {None}
    assert has_note(history, "A column called rate is no rate of the latent")


def test_a_rate_that_the_user_names_is_believed(read):
    content = table(rows(kl_raw=lambda _, kl: kl, rate=lambda *_: 7.0))
    history = read("log.csv", content, maps=["rate=rate"])
    assert {record.train.rate for record in history.records} == {7.0}


def test_a_rate_that_moves_above_the_kl_is_read(read):
    history = read("log.csv", table(rows(kl_raw=lambda _, kl: kl, rate=lambda _, kl: 3 * kl)))
    assert [record.train.rate for record in history.records] == [3 * kl for kl in KLS]


def test_an_unknown_loss_that_the_total_holds_beside_the_kl_is_the_reconstruction(read):
    content = table(
        rows(
            total_loss=lambda epoch, kl: 2.0 - 0.2 * epoch + 0.5 * kl,
            caption_loss=lambda epoch, _: 2.0 - 0.2 * epoch,
            kl_raw=lambda _, kl: kl,
        )
    )
    history = read("log.csv", content)
    losses = [record.train.answer_loss for record in history.records]
    assert losses == pytest.approx([2.0, 1.8, 1.6, 1.4])
    assert has_note(history, "caption_loss is the reconstruction")
