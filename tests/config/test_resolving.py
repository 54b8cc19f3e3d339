import pytest

from latentvqa.config import Config
from latentvqa.config.resolving import kl_convention, open_keys, resolve, resolve_by_data
from latentvqa.errors import ConfigError

ENTROPY = 1.5


def made(**sections):
    return Config.model_validate({"data": {"scenes": "easy"}, **sections})


def autos(config):
    """Keys that still stand at "auto"."""
    tables = config.model_dump()
    return {
        f"{table}.{key}" for table, keys in tables.items() for key in keys if keys[key] == "auto"
    }


def test_what_depends_neither_on_data_nor_device_is_resolved_and_no_more():
    given = made(kl={"free_bits": "auto"}, vision={"pretrained": False})
    resolved = resolve(given)
    assert {"vision.stride", "vision.freeze_epochs", "kl.warmup_epochs"} <= autos(given)
    left = {"vision", "optimizer", "kl", "early_stopping"}
    assert {key for key in autos(resolved) if key.split(".")[0] in left} == {
        *("kl.free_bits", "early_stopping.patience"),  # by the data
        "optimizer.warmup_share",  # by the epochs, which a limit of minutes may change
    }
    assert resolve(resolved) == resolved


def test_an_untrained_backbone_learns_from_the_start_and_a_trained_one_waits():
    scratch = resolve(made(vision={"pretrained": False}))
    trained = resolve(made(vision={"pretrained": True}))
    assert scratch.vision.freeze_epochs == 0 < trained.vision.freeze_epochs
    assert scratch.optimizer.vision_rate > trained.optimizer.vision_rate
    assert isinstance(scratch.vision.stride, int)
    assert trained.vision.stride == "last"
    assert isinstance(scratch.vision.image_size, int)
    assert trained.vision.image_size == "auto"  # the backbone's own


def test_pretrained_language_learns_slower_than_language_from_scratch():
    scratch = resolve(made()).optimizer
    trained = resolve(made(text={"encoder": "hf-hub:owner/model"})).optimizer
    assert scratch.question_rate == scratch.decoder_rate == trained.decoder_rate
    assert trained.question_rate < trained.decoder_rate


def test_what_is_given_stays():
    own = {"pretrained": False, "stride": 8, "image_size": 64, "freeze_epochs": 2}
    rates = {f"{name}_rate": 0.01 for name in ("vision", "question", "decoder")}
    given = made(vision=own, optimizer=rates, kl={"warmup_epochs": 7})
    assert resolve(given) == given


def test_the_kl_rises_over_the_warmup_stage():
    assert resolve(made(stages={"warmup": 4})).kl.warmup_epochs == 4


def by_data(config, questions=1000):
    return resolve_by_data(config, answer_entropy=ENTROPY, questions=questions)


@pytest.mark.parametrize(
    ("questions", "size", "of_an_image"),
    [
        (20, 32, 1),
        (15_999, 32, 1),
        (16_000, 64, 2),
        (38_575, 128, 4),
        (128_000, 512, 16),
        (10**7, 512, 16),
    ],
)
def test_automatic_batches_leave_steps_and_images(questions, size, of_an_image):
    given = made(loader={"batch_size": "auto", "questions_per_image": "auto"})
    assert open_keys(given) == ("loader.batch_size", "loader.questions_per_image")
    found = by_data(given, questions)
    assert (found.loader.batch_size, found.loader.questions_per_image) == (size, of_an_image)
    assert open_keys(found) == ()


def test_a_batch_that_is_given_settles_how_many_questions_an_image_has():
    for size, expected in ((160, 5), (8, 1)):
        given = made(loader={"batch_size": size, "questions_per_image": "auto"})
        assert by_data(given).loader.questions_per_image == expected


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_automatic_free_bits_add_up_to_what_was_allowed_per_need(reduction):
    given = made(
        kl={"free_bits": "auto", "free_bits_per_need": 10.0, "reduction": reduction},
        latent={"tokens": 3, "dims": 4},
    )
    convention = kl_convention(by_data(given).kl, given.latent)
    per_token = convention.free_bits * (1 if reduction == "sum" else convention.dims)
    assert per_token * convention.tokens == pytest.approx(10.0 * ENTROPY)


def test_free_bits_that_are_given_do_not_ask_the_data():
    given = made(kl={"free_bits": 0.25})
    assert by_data(given) == given


def test_automatic_free_bits_above_the_set_point_are_refused_with_their_number():
    given = made(
        kl={"free_bits": "auto", "schedule": "controller", "set_point": 0.01},
        latent={"tokens": 1, "dims": 1},
    )
    with pytest.raises(ConfigError, match=r'kl.free_bits = "auto" is 135 here: kl.set_point'):
        by_data(given)


def test_a_convention_says_how_the_kl_is_priced():
    given = made(kl={"factor": 0.5, "max_weight": 2.0, "reduction": "sum"}, latent={"dims": 8})
    convention = kl_convention(given.kl, given.latent)
    assert (convention.factor, convention.max_weight, convention.unit_scale) == (0.5, 2.0, 8.0)
    assert not convention.is_assumed


def test_a_convention_without_its_free_bits_is_our_own_fault():
    with pytest.raises(ValueError, match=r"not resolved: kl\.free_bits"):
        kl_convention(made(kl={"free_bits": "auto"}).kl, made().latent)
