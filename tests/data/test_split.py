from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentvqa.data.split import (
    fingerprint,
    read_split,
    shared_images,
    split_by_image,
    write_split,
)
from latentvqa.data.tables import QuestionTable, read_questions
from latentvqa.errors import DataError


def table_of(image_index: list[int]) -> QuestionTable:
    used, places = np.unique(image_index, return_inverse=True)
    names = tuple(f"{i:03d}.png" for i in used)
    count = len(image_index)
    return QuestionTable(
        path=Path("t.csv"),
        sha256="0",
        image_paths=tuple(Path("/im", name) for name in names),
        image_names=names,
        image_index=places,
        questions=[f"q{i}" for i in range(count)],
        answers=[("a",)] * count,
        types=None,
        ids=None,
        rows=np.arange(count) + 2,
    )


@given(
    st.lists(st.integers(0, 20), min_size=2).filter(lambda images: len(set(images)) > 1),
    st.floats(0.01, 0.99),
    st.integers(0, 5),
    st.randoms(use_true_random=False),
)
def test_a_split_is_by_image_complete_and_independent_of_row_order(
    images: list[int], fraction: float, seed: int, random: object
) -> None:
    table = table_of(images)
    train, val = split_by_image(table, fraction, seed)
    assert len(train) and len(val)
    assert not set(train.image_names) & set(val.image_names)
    assert sorted([*train.rows, *val.rows]) == table.rows.tolist()
    assert shared_images(train, val) == 0.0
    shuffled = list(range(len(images)))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert split_by_image(table.select(shuffled), fraction, seed)[1].image_names == val.image_names


def test_the_share_held_out_and_the_seed_are_followed() -> None:
    table = table_of(list(range(200)) * 3)
    first, second = (split_by_image(table, 0.1, seed)[1] for seed in (0, 1))
    assert len(first.image_names) == 20 and len(first) == 60
    assert first.image_names != second.image_names


def test_added_images_move_no_image_of_an_even_split_far() -> None:
    small = split_by_image(table_of(list(range(200))), 0.1, 0)[1].image_names
    large = split_by_image(table_of(list(range(220))), 0.1, 0)[1].image_names
    assert len(set(small) & set(large)) >= 15


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_a_senseless_fraction_is_refused(fraction: float) -> None:
    with pytest.raises(DataError, match="between 0 and 1"):
        split_by_image(table_of([0, 1]), fraction, 0)


def test_one_image_cannot_be_split() -> None:
    with pytest.raises(DataError, match="one image"):
        split_by_image(table_of([0, 0]), 0.5, 0)


def test_a_written_split_is_read_back(tmp_path: Path) -> None:
    table = table_of(list(range(9)) * 2)
    train, val = split_by_image(table, 0.3, 3)
    write_split(tmp_path / "split.csv", train, val)
    lines = (tmp_path / "split.csv").read_text().splitlines()
    assert lines[0] == "image,split" and len(lines) == 10
    again = read_split(tmp_path / "split.csv", table)
    for before, after in zip((train, val), again, strict=True):
        assert before.rows.tolist() == after.rows.tolist()
    smaller = table.select(np.arange(5))
    assert sum(map(len, read_split(tmp_path / "split.csv", smaller))) == 5


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("a,b\n", "row 1"),
        ("image,split\n000.png,test\n", "row 2"),
        ("image,split\n000.png\n", "row 2"),
        ("image,split\n000.png,val\n000.png,train\n", "both sides"),
        ("image,split\n000.png,val\n", "the split lacks 1 image of t.csv"),
        ("image,split\n000.png,val\n001.png,val\n", "one side"),
    ],
)
def test_a_split_that_does_not_fit_is_refused(tmp_path: Path, content: str, part: str) -> None:
    (tmp_path / "split.csv").write_text(content)
    with pytest.raises(DataError, match=part):
        read_split(tmp_path / "split.csv", table_of([0, 1]))


def test_a_missing_split_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_split(tmp_path / "none.csv", table_of([0, 1]))


def test_shared_images_are_counted_by_row_through_links(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "b.png").symlink_to("a.png")
    (tmp_path / "one.csv").write_text("image,question,answer\na.png,q,a\n")
    (tmp_path / "two.csv").write_text("image,question,answer\nb.png,q,a\nb.png,r,a\nc.png,q,a\n")
    one, two = (read_questions(tmp_path / f"{n}.csv", images=tmp_path) for n in ("one", "two"))
    assert shared_images(one, two) == pytest.approx(2 / 3)
    assert shared_images(two, one) == 1.0


def test_a_fingerprint_names_file_hash_and_sizes() -> None:
    assert fingerprint(table_of([0, 0, 4])) == {
        "path": "t.csv",
        "sha256": "0",
        "rows": 3,
        "images": 2,
    }


@given(st.lists(st.integers(0, 6), min_size=8, max_size=30), st.floats(0.05, 0.9))
def test_images_of_one_group_stay_on_one_side(numbers: list[int], fraction: float) -> None:
    groups = np.array([0, 1, *numbers])
    table = table_of(list(range(len(groups))))
    train, val = split_by_image(table, fraction, 0, groups)
    sides = [{int(groups[int(name[:3])]) for name in side.image_names} for side in (train, val)]
    assert sides[0] and sides[1] and not sides[0] & sides[1]


def test_groups_of_one_image_each_change_no_split() -> None:
    table = table_of(list(range(50)))
    alone = split_by_image(table, 0.2, 3, np.arange(50)[::-1])[1]
    assert alone.image_names == split_by_image(table, 0.2, 3)[1].image_names


def test_images_that_are_all_copies_cannot_be_split() -> None:
    with pytest.raises(DataError, match="keep_copies_together"):
        split_by_image(table_of([0, 1, 2]), 0.5, 0, np.zeros(3, dtype=np.int64))


def test_a_split_keeps_names_with_quotes_commas_and_breaks_of_lines(tmp_path: Path) -> None:
    names = ('a",b.png', "cr\rname.png", "line\nbreak.png", "plain.png")
    table = replace(table_of([0, 1, 2, 3]), image_names=names)
    train, val = table.select([0, 1]), table.select([2, 3])
    write_split(tmp_path / "split.csv", train, val)
    found = read_split(tmp_path / "split.csv", table)
    assert [side.image_names for side in found] == [train.image_names, val.image_names]
