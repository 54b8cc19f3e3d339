"""Three hundred logs through ``diagnose-kl``, in every form of its output."""

import json
import resource
import signal
import subprocess
import sys

import pytest

from latentvqa.logs import read_log
from tests.hostile.logs import KINDS, hostile_log
from tests.hostile.outcome import Accepted, Refused, require_plain, require_sentence

FORMATS = ("table", "json", "html", "markdown")
RAW = ("</script><b>", "<script>&")
SECONDS = 20  # processor time of one log, beyond which it hangs
MEMORY = 1 << 30


@pytest.fixture(autouse=True)
def bounded():
    """End a log that takes for ever, on a busy machine as well."""

    def hangs(*_):
        raise AssertionError(f"still at it after {SECONDS} s")

    before = signal.signal(signal.SIGVTALRM, hangs)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


def check(seed, cli, folder, *, plot=False):
    path, outcome = hostile_log(seed, folder)
    shown = FORMATS[seed // len(KINDS) % len(FORMATS)]
    curves = folder / "curves.svg"
    drawing = ("--plot", curves) if plot else ()
    answer = cli("diagnose-kl", path, "--format", shown, *drawing)
    require_plain(answer)
    if isinstance(outcome, Accepted):
        assert answer.code == 0, answer.err
        require_read(path, outcome)
    if isinstance(outcome, Refused) or answer.code:
        require_sentence(answer, outcome or Refused(()), 1)
        return
    pages = [answer.out] if shown == "html" else []
    pages += [curves.read_text("utf-8")] if plot else []
    assert not any(raw in page for page in pages for raw in RAW)
    if shown == "json":
        verdict = json.loads(answer.out)["verdict"]
        assert verdict["level"]
        if isinstance(outcome, Accepted) and outcome.code is not None:
            assert verdict["code"] == outcome.code


def require_read(path, outcome):
    """The KL of every epoch that is whole is the one that was written."""
    read = {record.epoch: record.train.kl_raw for record in read_log(path).records}
    assert {epoch: read.get(epoch) for epoch in outcome.values} == outcome.values


@pytest.mark.parametrize("seed", range(len(KINDS)))
def test_a_hostile_log_is_judged_by_what_is_whole_in_it_or_refused_in_words(seed, cli, tmp_path):
    check(seed, cli, tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(len(KINDS), 300))
def test_more_hostile_logs_of_every_kind(seed, cli, tmp_path):
    check(seed, cli, tmp_path, plot=seed % 5 == 0)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "start", ["", "epoch,kl\n0,1\n1,", '{"kl": "', '[{"kl": 1}, "', "kl=1 a=", "{'a': ["]
)
def test_a_line_of_fifty_million_characters_needs_bounded_memory(tmp_path, start):
    path = tmp_path / "log.txt"
    path.write_text(start + "1," * 25_000_000)
    done = subprocess.run(
        [sys.executable, "-m", "latentvqa", "diagnose-kl", path],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr
