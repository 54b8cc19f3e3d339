"""Small question tables for audits, read and encoded as an audit does it."""

from latentvqa.config import Text
from latentvqa.data.tables import read_questions
from latentvqa.data.tokenizer import train_tokenizers
from tests.small_runs import write_rows


def read(folder, rows, name="t.csv", header="image,question,answer", **options):
    """A table of these rows; its images are sought in the folder if it holds any."""
    images = folder / "images"
    return read_questions(
        write_rows(folder / name, rows, header),
        images=images if images.is_dir() else None,
        needs_images=False,
        **options,
    )


def tokenizers_of(table):
    return train_tokenizers(Text(min_count=1), table)
