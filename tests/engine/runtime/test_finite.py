import math

import pytest
import torch

from latentvqa.engine.runtime.finite import first_not_finite

WHOLE = {"weight": torch.ones(3), "count": torch.tensor(2), "half": torch.ones(2).half()}


def test_whole_numbers_and_finite_ones_of_any_precision_are_fine():
    assert first_not_finite(WHOLE) == ""
    assert first_not_finite({}) == ""


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_one_value_that_is_not_finite_is_found_by_name(value, dtype):
    tensors = {**WHOLE, "mean": torch.tensor([0.0, value], dtype=dtype), "later": torch.ones(1)}
    assert first_not_finite(tensors) == "mean"
