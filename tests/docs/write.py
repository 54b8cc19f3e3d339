"""Makes every generated page, sample, list and table anew: ``python -m tests.docs.write``."""

from __future__ import annotations

from tests.benchmarks import tables
from tests.corpus.confusion import corpus_summary
from tests.docs.reference import PAGES
from tests.docs.samples import LISTS, SAMPLES
from tests.readme_parts import MANUAL, write_readme_part


def main() -> None:
    for name, make in PAGES.items():
        (MANUAL / name).write_text(make(), encoding="utf-8")
    for name, make in {**SAMPLES, **LISTS}.items():
        write_readme_part(name, make())
    write_readme_part("confusion", corpus_summary())
    tables.main()


if __name__ == "__main__":
    main()
