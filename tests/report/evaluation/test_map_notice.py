from latentvqa.report.evaluation.map_notice import LEAST_DIVERGENCE, sameness_notice


def test_the_notice_comes_below_the_limit_alone():
    assert sameness_notice(None) == sameness_notice(LEAST_DIVERGENCE) == ""
    said = sameness_notice(0.99 * LEAST_DIVERGENCE)
    assert said.startswith("The maps hardly differ between questions about one image")
    assert "0.0099 bits, below 0.01" in said
