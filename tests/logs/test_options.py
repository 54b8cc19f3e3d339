import pytest

from latentvqa.errors import ConfigError
from latentvqa.logs.options import log_options


def test_columns_are_mapped_whatever_space_stands_around_them():
    options, thresholds = log_options(maps=["kl_raw = train/kl", "epoch=it=er"])
    assert options.columns == {"kl_raw": "train/kl", "epoch": "it=er"}
    assert thresholds == []


def test_one_column_may_have_two_names_of_one_field():
    options, _ = log_options(maps=["kl=x", "train_kl_after=x"])
    assert set(options.columns) == {"kl", "train_kl_after"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"maps": ["kl_raw"]}, "--map kl_raw: expected FIELD=COLUMN"),
        ({"maps": ["kl_raw="]}, "--map kl_raw=: expected FIELD=COLUMN"),
        ({"maps": ["kl_rw=x"]}, "unknown field kl_rw; the nearest is kl_raw"),
        ({"maps": ["kl_raw=x", "nll=x"]}, "--map nll=x: the column already stands for kl_raw"),
        ({"steps_per_epoch": 0}, "--steps-per-epoch 0: expected a number of 1 or more"),
        ({"pattern": "none-such"}, "--pattern none-such: the nearest is"),
    ],
)
def test_a_fault_names_the_option_and_what_is_near(options, told):
    with pytest.raises(ConfigError) as caught:
        log_options(**options)
    assert told in str(caught.value)


def test_all_faults_are_told_together():
    with pytest.raises(ConfigError) as caught:
        log_options(maps=["x", "y"], steps_per_epoch=-1, pattern="z", overrides=["kl.factor=x"])
    assert len(str(caught.value).splitlines()) >= 5
