from dataclasses import replace

import pytest

from latentvqa.config import KL, Config, config_to_toml
from latentvqa.core.diagnosis.threshold_overrides import resolved_thresholds
from latentvqa.core.records import KLConvention
from latentvqa.errors import ConfigError
from latentvqa.history import LOG_NAME, append_record, write_header
from latentvqa.logs import log_options, read_log
from tests.logs.conftest import has_note, table
from tests.runs import HEADER, make_epoch

ROWS = [{"epoch": e, "kl": 0.25, "loss": 2.0, "beta": 0.5} for e in range(3)]
SUM = ["kl.reduction=sum", "latent.tokens=1", "latent.dims=32", "kl.free_bits=0"]

TOML = """\
[data]
train = "nowhere.csv"
[kl]
free_bits = 0.02
factor = 0.3
warmup_epochs = "auto"
[latent]
tokens = 4
temperature = 0.7
[teacher]
weight = 0.0
[kl_health]
high_kl = 0.5
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(TOML)
    return path


def test_what_nobody_told_is_unknown(read):
    history = read("log.csv", table([{"epoch": 0, "kl": 0.25}]))
    assert history.header.kl.unknown == (
        "reduction",
        "tokens",
        "dims",
        "free_bits",
        "factor",
        "max_weight",
    )
    assert not history.header.kl.is_assumed
    assert history.records[0].train.rate is None
    assert has_note(history, "Not known: the KL's reduction, tokens")


def test_beta_is_the_effective_weight(read):
    history = read("log.csv", table(ROWS))
    assert (history.header.kl.factor, history.header.kl.max_weight) == (1.0, 0.5)
    assert history.header.kl.unknown == ("reduction", "tokens", "dims", "free_bits")
    assert (history.records[0].kl_weight, history.records[0].effective_kl_weight) == (0.5, 0.5)


def test_the_command_line_makes_the_convention_known(read):
    history = read("log.csv", table(ROWS), overrides=SUM)
    kl = history.header.kl
    assert (kl.reduction, kl.tokens, kl.dims, kl.free_bits) == ("sum", 1, 32, 0.0)
    assert kl.unknown == ()
    train = history.records[0].train
    assert train.rate == 0.25
    assert train.kl_after == 0.25  # no free bits
    assert train.kl_share == 0.5 * 0.25 / 2.0


@pytest.mark.parametrize(("reduction", "rate"), [("mean", 0.25 * 4 * 32), ("sum", 0.25 * 4)])
def test_the_rate_follows_the_reduction(read, reduction, rate):
    overrides = [f"kl.reduction={reduction}", "latent.tokens=4", "latent.dims=32"]
    record = read("log.csv", table(ROWS), overrides=overrides).records[0]
    assert record.train.rate == pytest.approx(rate)


def test_the_sections_of_a_run_are_told_by_its_config(read, config):
    header = read("log.csv", table(ROWS), config=config).header
    assert (header.kl.free_bits, header.kl.factor, header.kl.tokens) == (0.02, 0.3, 4)
    assert header.kl.unknown == ("reduction", "dims")
    history = read("log.csv", table(ROWS), config=config)
    assert has_note(history, "does not tell: kl.warmup_epochs (--set kl.warmup_epochs=NUMBER does)")
    assert (header.temperature, header.teacher_weight, header.warmup_epochs) == (0.7, 0.0, None)
    assert resolved_thresholds(header.thresholds)[0].high_kl == 0.5


def test_the_config_that_a_run_wrote_is_taken_with_all_its_sections(read, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(config_to_toml(Config(kl=KL(free_bits=0.07))))
    history = read("log.csv", table(ROWS), config=path)
    assert (history.header.kl.free_bits, history.header.kl.unknown) == (0.07, ())


def test_the_command_line_wins_over_the_config_and_both_over_the_log(tmp_path, config):
    path = tmp_path / LOG_NAME
    write_header(path, HEADER)
    append_record(path, make_epoch(0))
    options, _ = log_options(config=config, overrides=["kl.free_bits=0.03"])
    history = read_log(path, options)
    kl = history.header.kl
    assert (kl.free_bits, kl.factor, kl.tokens, kl.dims) == (0.03, 0.3, 4, 64)
    assert has_note(history, "From --set, over what the log says: kl.free_bits = 0.03.")
    assert has_note(history, "kl.factor = 0.3, latent.tokens = 4")
    assert history.records == (make_epoch(0),)


def test_our_own_log_without_a_header_takes_what_is_told(tmp_path):
    path = tmp_path / LOG_NAME
    write_header(path, HEADER)
    bare = replace(make_epoch(0), effective_kl_weight=None)
    append_record(path, replace(bare, train=replace(bare.train, rate=None)))
    path.write_bytes(path.read_bytes().split(b"\n", 1)[1])
    history = read_log(path)
    assert history.header.kl == KLConvention(is_assumed=True)
    assert history.records[0].train.rate is None  # nothing is reckoned from assumptions
    assert history.records[0].effective_kl_weight is None
    history = read_log(path, log_options(overrides=SUM)[0])
    assert history.header.kl.is_assumed
    assert history.records[0].train.rate == 0.05
    everything = [*SUM, "kl.factor=0.2", "kl.max_weight=15"]
    assert not read_log(path, log_options(overrides=everything)[0]).header.kl.is_assumed


def test_thresholds_are_left_to_their_own_reader():
    options, thresholds = log_options(overrides=["kl_health.high_kl=1", "kl.reduction=sum"])
    assert thresholds == ["kl_health.high_kl=1"]
    assert options.stated.facts() == {"reduction"}


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("[kl]\nreduction = 'median'\n", "kl.reduction = 'median'"),
        ("[kl]\nfree_bits = -1\n[latent]\ntokens = 0\n", "latent.tokens = 0"),
        ("[kl]\nfree_bit = 1\n", "unknown key 'kl.free_bit'; the nearest is kl.free_bits"),
        ("[latent]\ntoken = 1\n", "unknown key 'latent.token'; the nearest is latent.tokens"),
        ("[latent]\ntokens = 'auto'\n", "latent.tokens = 'auto'"),
        ("[teacher]\nwieght = 1\n", "the nearest is teacher.weight"),
        ("free_bits = 1\n", "'free_bits' stands in no section; the nearest is kl.free_bits"),
        ("[KL]\nfree_bits = 1\n", "unknown section 'KL'; the nearest is kl"),
        ("[kl_health]\nhihg_kl = 1\n", "the nearest is kl_health.high_kl"),
        ("kl_health = 3\n", "kl_health must be a section"),
        ("[kl\n", "not valid TOML"),
        (b"\xff\xfe", "cannot be read as UTF-8"),
        ("kl = 3\nlatent = []\n", "latent must be a section of keys: [latent]"),
        ("[kl]\nschedule = 'linear'\n[data]\nx = 1\n[mine]\ny = 1\n", None),
    ],
)
def test_faults_of_the_config_name_file_and_key(tmp_path, content, part):
    path = tmp_path / "run.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if part is None:
        log_options(config=path)
        return
    with pytest.raises(ConfigError) as raised:
        log_options(config=path)
    assert part in str(raised.value)
    assert "run.toml" in str(raised.value)


def test_a_missing_config_is_a_fault(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        log_options(config=tmp_path / "none.toml")
