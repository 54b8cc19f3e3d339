"""The finding of a rule in a made-up run, and short ways to write such runs."""

from latentvqa.core.diagnosis.diagnose import diagnose
from tests.runs import HEADER, make_run

NEED = 1.7  # information the answers of made-up runs need, in nats
UNKNOWN = {"answer_entropy": None, "answer_gain": None, "information_bound": None}


def found(name, records, header=HEADER, thresholds=None):
    """The finding of that name; None where its rule is silent."""
    diagnosis = diagnose(header, records, thresholds)
    return next((finding for finding in diagnosis.findings if finding.name == name), None)


def info(bound=12.0, gain=1.6, **more):
    """Validation measures of a capacity and what was learnt."""
    return {"information_bound": bound, "answer_gain": gain, **more}


def kl(raw, after=None):
    """A KL before and after free bits."""
    return {"kl_raw": raw, "kl_after": 0.7 * raw if after is None else after}


def run(raw, after=None, epochs=12, val=None, **train):
    """A run with one KL in every epoch."""
    return make_run(epochs, train={**kl(raw, after), **train}, val=val or {})
