"""Hypothesis strategies for records, NaN and infinities included."""

from dataclasses import fields

from hypothesis import strategies as st

from latentvqa.core.records import (
    EpochRecord,
    Histogram,
    KLConvention,
    RunHeader,
    SplitMetrics,
    StagePlan,
    TeacherCounts,
)

NUMBER = st.none() | st.floats()
FINITE = st.floats(allow_nan=False)
COUNT = st.integers(0, 2**53)
NAMES = st.text(max_size=5)
COUNTED = ("rows", "judged_rows", "active_units")


@st.composite
def histograms(draw):
    edges = draw(st.lists(FINITE, max_size=4))
    bins = len(edges) + 1
    counts = draw(st.lists(COUNT, min_size=bins, max_size=bins))
    sums = draw(st.lists(FINITE, min_size=bins, max_size=bins))
    return Histogram(tuple(edges), tuple(counts), tuple(sums))


SPLITS = st.builds(
    SplitMetrics,
    **{
        item.name: NUMBER
        for item in fields(SplitMetrics)
        if item.name not in (*COUNTED, "kl_tokens", "kl_histogram")
    },
    **{name: st.none() | COUNT for name in COUNTED},
    kl_tokens=st.none() | st.lists(FINITE, max_size=3).map(tuple),
    kl_histogram=st.none() | histograms(),
)
EPOCHS = st.builds(
    EpochRecord,
    epoch=st.integers(0, 1000),
    stage=st.sampled_from(["baseline", "warmup", "full"]),
    train=SPLITS,
    val=SPLITS,
    kl_weight=NUMBER,
    effective_kl_weight=NUMBER,
    beta=NUMBER,
    learning_rates=st.dictionaries(NAMES, FINITE, max_size=3),
    trainable=st.dictionaries(NAMES, st.booleans(), max_size=3),
    gates=st.lists(FINITE, max_size=3).map(tuple),
    teacher=st.none() | st.builds(TeacherCounts, COUNT, COUNT, COUNT),
    steps=st.none() | COUNT,
    seconds=st.dictionaries(NAMES, FINITE, max_size=3),
)
HEADERS = st.builds(
    RunHeader,
    kl=st.builds(KLConvention, reduction=st.sampled_from(["mean", "sum"]), free_bits=FINITE),
    stages=st.builds(StagePlan, COUNT, COUNT, COUNT),
    temperature=NUMBER,
    name=NAMES,
    seed=st.none() | COUNT,
    versions=st.dictionaries(NAMES, NAMES, max_size=3),
    data=st.dictionaries(NAMES, NAMES | COUNT, max_size=3),
    thresholds=st.dictionaries(NAMES, FINITE, max_size=3),
)
