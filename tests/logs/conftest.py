import json

import pytest

from latentvqa.logs import log_options, read_log

RESEARCH = [
    *("epoch", "stage"),
    *("train_total", "train_answer", "train_kl", "train_kl_raw", "train_ortho", "train_teacher"),
    *("val_total", "val_answer", "val_kl", "val_kl_raw", "val_ortho"),
    *("learning_rate", "kl_weight", "effective_kl_weight"),
    *("overfitting_ratio", "answer_gap", "best_val_answer", "patience"),
]


def research_row(epoch, **changes):
    weight = 15.0 * min(epoch / 3, 1.0)
    row = {
        **dict.fromkeys(RESEARCH, 0.5),
        "epoch": epoch,
        "stage": 2 if epoch < 4 else 3,
        "train_answer": 0.4,
        "train_kl": 0.02,
        "train_kl_raw": 0.09,
        "val_answer": 0.5,
        "kl_weight": weight,
        "effective_kl_weight": 0.2 * weight,
        "best_val_answer": 0.45,
        "patience": 1,
    }
    return {**row, **changes}


def table(rows, delimiter=","):
    names = list(rows[0])
    lines = [names, *([str(row.get(name, "")) for name in names] for row in rows)]
    return "\n".join(delimiter.join(line) for line in lines) + "\n"


def json_lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def read(tmp_path):
    """Write a log and read it with options as on the command line."""

    def written_and_read(name, content, **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_log(path, log_options(**options)[0])

    return written_and_read


def has_note(history, part):
    return any(part in note for note in history.notes)
