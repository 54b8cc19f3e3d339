"""Three hundred tables, odd or broken, through the command line."""

import pytest

from latentvqa.data.tables import read_questions
from tests.hostile.outcome import Accepted, require_plain, require_sentence
from tests.hostile.tables import hostile_table


def check(seed, cli, folder):
    path, outcome = hostile_table(seed, folder)
    if isinstance(outcome, Accepted):
        table = read_questions(path, images=folder)
        assert (table.questions, table.targets) == outcome.values
        answer = cli("data", "audit", path, "--json")
        assert answer.code == 0, answer.err
    else:
        answer = cli("data", "audit", path, "--json")
        require_sentence(answer, outcome, 1)
        assert path.name in answer.err
    require_plain(answer)


@pytest.mark.parametrize("seed", range(100))
def test_a_hostile_table_is_read_as_it_must_be_or_refused_in_words(seed, cli, tmp_path):
    check(seed, cli, tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(100, 300))
def test_two_hundred_more_tables(seed, cli, tmp_path):
    check(seed, cli, tmp_path)
