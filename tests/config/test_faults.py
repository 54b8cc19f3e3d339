import pytest
from pydantic import ValidationError

from latentvqa.config.faults import fault_texts, nearest_hint
from latentvqa.config.sections import KL, Config
from tests.config.faulty import DATA, faults_of


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[kl]\nfreebits = 0.1\n", "kl.freebits is unknown; did you mean free_bits?"),
        ("[latent]\nfree_bits = 0.1\n", "latent.free_bits is unknown; did you mean kl.free_bits?"),
        ("[lattent]\ndims = 3\n", "lattent is unknown; did you mean latent?"),
        ("free_bits = 0.1\n", "free_bits is unknown; did you mean kl.free_bits?"),
        ("[kl]\nqqq = 1\n", "kl.qqq is unknown; known: max_weight, factor,"),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest_known_one(write, text, hint):
    (fault,) = faults_of(write(text + DATA))
    assert hint in fault


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("temperature = nan", "latent.temperature = nan: input should be less than or equal to 10"),
        ("tokens = true", "latent.tokens = true: input should be a valid integer"),
        ("tokens = 6.0", "latent.tokens = 6.0: input should be a valid integer"),
        ('dims = "8"', 'latent.dims = "8": input should be a valid integer'),
    ],
)
def test_values_are_taken_at_their_type(write, line, shown):
    path = write(DATA + f"[latent]\n{line}\n")
    assert faults_of(path) == [f"{path}: {shown}"]


def test_every_branch_of_a_choice_is_told_in_one_line(write):
    path = write(DATA + '[vision]\nstride = "x"\npretrained = 3\n')
    assert faults_of(path) == [
        f"{path}: vision.pretrained = 3: input should be a valid boolean or input should be a path",
        f'{path}: vision.stride = "x": input should be a valid integer or '
        "input should be 'auto' or 'last'",
    ]


def test_a_section_that_is_no_table_is_told_with_its_file(write):
    path = write("kl = 3\n" + DATA)
    assert faults_of(path, overrides=["kl.factor=0.1"]) == [
        f"{path}: kl = 3: must be a table of keys"
    ]


def test_an_unknown_name_is_answered_with_the_nearest_or_nothing():
    assert nearest_hint("quickstrat", ["quickstart", "easy-vqa"]) == " Did you mean quickstart?"
    assert nearest_hint("zzz", ["quickstart", "easy-vqa"]) == ""


def test_a_text_begins_so_that_the_key_can_stand_before_it():
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"kl": {"factor": -1, "factr": 2}, "lattent": {}})
    texts = fault_texts(caught.value, {"kl": list(KL.model_fields), "latent": ["dims"]})
    assert texts == {
        "kl.factor": " = -1: input should be greater than or equal to 0",
        "kl.factr": " is unknown; did you mean factor?",
        "lattent": " is unknown; did you mean latent?",
    }
