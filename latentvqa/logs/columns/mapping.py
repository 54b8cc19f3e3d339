"""Which column of a log is taken for which field: the user's word first, then the names."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace

from latentvqa.errors import ConfigError
from latentvqa.logs.columns.company import Company
from latentvqa.logs.columns.fields import FIELDS, Field, Key, nearest
from latentvqa.logs.columns.names import AS_MAPPED, Meaning, meaning_of, run_and_name
from latentvqa.logs.columns.words import is_like_kl
from latentvqa.logs.notes import listed

MOST_COLUMNS = 10_000


class Columns:
    """The columns of one log, met one after the other.

    Args:
        mapping: field names to column names, as given by the user.
        meanings: columns of a format that is known as a whole; other names then
            mean nothing.
    """

    def __init__(
        self, mapping: Mapping[str, str], meanings: Mapping[str, Meaning] | None = None
    ) -> None:
        self.seen: dict[str, Meaning | None] = {}
        self._known = meanings
        self._mapping = mapping
        self._mapped: dict[str, Meaning] = {}
        for name, column in mapping.items():
            is_named = FIELDS[name].place != "train" or name.startswith("train_")
            self._mapped[_composed(column)] = Meaning(
                FIELDS[name], (AS_MAPPED,), is_split_named=is_named
            )

    def meaning(self, column: str) -> Meaning | None:
        """What a column holds; None where it is not used."""
        if column not in self.seen and len(self.seen) < MOST_COLUMNS:
            self.seen[column] = self._meaning(column)
        return self.seen.get(column)

    def require_mapped(self) -> None:
        """Refuse a mapping to columns that the log does not have.

        Raises:
            ConfigError: naming the nearest columns of the log.
        """
        faults = []
        seen = {_composed(column) for column in self.seen}
        for name, column in self._mapping.items():
            if _composed(column) not in seen:
                near = nearest(column, list(self.seen), most=3)
                hint = f"; the nearest are {listed(near)}" if near else ": it has no columns"
                faults.append(f"--map {name}={column}: the log has no column {column}{hint}")
        if faults:
            raise ConfigError("\n".join(faults))

    def resolved(self, used: Iterable[Key], company: Company | None = None) -> dict[Key, Field]:
        """Fields of the columns that held values, seen as a whole.

        A plain ``kl`` is kl_raw, or kl_after beside a kl_raw; in the company of a
        policy or a teacher it is nothing. A test split stands for validation where
        there is no other.

        Args:
            used: column names, and the split that their rows said.
            company: what kind of training the columns speak of.
        """
        used = list(used)
        met = {key: meaning for key in used if (meaning := self.seen.get(key[0])) is not None}
        if company is not None:
            met = {key: meaning for key, meaning in met.items() if not self._is_of(meaning, key)}
        plain = self._plain_kl(met)
        has_validation = any(
            (m.field.place == "val" or split == "val") and not m.is_test and split != "test"
            for (_, split), m in met.items()
        )
        fields: dict[Key, Field] = {}
        for key, meaning in met.items():
            if (meaning.is_test or key[1] == "test") and has_validation:
                continue
            field = meaning.field
            if meaning.is_plain_kl:
                field = replace(field, attribute=plain)
            if key[1] and field.place == "train" and not meaning.is_split_named:
                field = replace(field, place="val")
            fields[key] = field
        return fields

    def runs(self) -> list[str]:
        """The runs that the names of known columns begin with, as exports of several do."""
        known = (name for name, meaning in self.seen.items() if meaning is not None)
        return [run for run in dict.fromkeys(run_and_name(name)[0] for name in known) if run]

    def kl_candidates(self, taken: Iterable[str]) -> tuple[str, ...]:
        """Columns that look like a KL and were not taken for one."""
        taken = set(taken)
        return tuple(name for name in self.seen if name not in taken and is_like_kl(name))

    def _is_of(self, meaning: Meaning, key: Key) -> bool:
        """Whether a column is a KL by its name alone, which the company speaks against."""
        return meaning.is_plain_kl and not self.is_mapped(key[0])

    def rank(self, column: str) -> tuple[int, ...]:
        """What a column is worth beside others of its field; smaller is better."""
        meaning = self.seen.get(column)
        return meaning.rank if meaning else ()

    def scale(self, column: str) -> float:
        """What a column's values are multiplied by to be nats."""
        meaning = self.seen.get(column)
        return 1.0 if meaning is None else meaning.scale

    def is_mapped(self, column: str) -> bool:
        """Whether the user named the column."""
        return _composed(column) in self._mapped

    def _meaning(self, column: str) -> Meaning | None:
        if self.is_mapped(column):
            return self._mapped[_composed(column)]
        if self._known is not None:
            return self._known.get(column)
        return meaning_of(column)

    def _plain_kl(self, met: Mapping[Key, Meaning]) -> str:
        """What a column that says no more than KL holds in this log."""
        for (column, _), meaning in met.items():
            named = meaning_of(column) if self.is_mapped(column) else None
            if named is not None and named.is_plain_kl:
                return meaning.field.attribute  # the user said it of one of them
        has_raw = any(
            meaning.field.attribute == "kl_raw" and not meaning.is_plain_kl
            for meaning in met.values()
        )
        return "kl_after" if has_raw else "kl_raw"


def _composed(name: str) -> str:
    """A name with its accents in the letters, however it was typed or saved."""
    return unicodedata.normalize("NFC", name)


def taken_sentence(fields: Mapping[Key, Field], columns: Columns) -> str | None:
    """What was taken for what by its name alone, and what was in bits, for a note."""
    best: dict[Field, str] = {}
    for (column, _), field in sorted(fields.items(), key=lambda pair: columns.rank(pair[0][0])):
        best.setdefault(field, column)
    pairs = [
        f"{column} as {field.label}"
        for field, column in best.items()
        if not columns.is_mapped(column) and column != field.attribute and field.place != "other"
    ]
    in_bits = [column for column in best.values() if columns.scale(column) != 1.0]
    taken = f"Taken by their names: {listed(pairs, 12)}." if pairs else ""
    bits = f"In bits by their names, read as nats: {listed(in_bits)}." if in_bits else ""
    return f"{taken} {bits}".strip() or None


def unused_sentence(columns: Columns) -> str | None:
    """Columns that mean nothing here, for a note."""
    unused = [
        name
        for name, meaning in columns.seen.items()
        if meaning is None or meaning.field.place == "other"
    ]
    return f"Columns not used: {listed(unused)}." if unused else None
