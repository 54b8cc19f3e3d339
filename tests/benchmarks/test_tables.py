from tests.benchmarks.tables import README, filled


def test_the_readme_shows_the_recorded_results():
    text = README.read_text(encoding="utf-8")
    assert filled(text) == text, "run: python -m tests.benchmarks.tables"
