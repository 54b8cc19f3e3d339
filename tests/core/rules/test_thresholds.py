import pytest
from pydantic import ValidationError

from latentvqa.core.rules.thresholds import KLHealthThresholds


def test_thresholds_refuse_unknown_keys_and_wrong_orders():
    with pytest.raises(ValidationError, match="hihg_kl"):
        KLHealthThresholds(hihg_kl=0.1)
    with pytest.raises(ValidationError, match="healthy_kl_low"):
        KLHealthThresholds(healthy_kl_low=0.09)
    with pytest.raises(ValidationError):
        KLHealthThresholds(high_kl=float("nan"))


def test_every_threshold_states_its_unit():
    units = (
        "nats",
        "share",
        "epoch",
        "multiple",
        "standard errors",
        "overfit ratio",
        "or by",
    )
    for name, field in KLHealthThresholds.model_fields.items():
        assert field.description and any(unit in field.description for unit in units), name
