import csv
import json
from pathlib import Path

import pytest

from latentvqa.data.converters.easy_vqa import read_easy_vqa
from latentvqa.data.converters.rows import missing_images

PUBLISHED = Path(__file__).parents[4] / "shared" / "data" / "easy-vqa"


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="easy-VQA does not lie beside the checkout")
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_published_triples_become_the_table_made_from_them_elsewhere(split, tmp_path):
    with (PUBLISHED / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        expected = list(csv.DictReader(file))
    triples = [[row["question"], row["answer"], int(Path(row["image"]).stem)] for row in expected]
    path = tmp_path / "questions.json"
    path.write_text(json.dumps(triples))
    rows = read_easy_vqa(path)
    assert [(f"{split}/{row.image}", row.question, *row.answers, row.type) for row in rows] == [
        (row["image"], row["question"], row["answer"], row["type"]) for row in expected
    ]
    assert missing_images(rows, PUBLISHED / "images" / split) == []
