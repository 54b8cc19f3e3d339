"""Image-blind models as bytes to write to files, and back."""

from __future__ import annotations

import json
from typing import Any

from safetensors.torch import load, save

from latentvqa.core.formats import newer_format
from latentvqa.data.blind.counts import GroupCounts, TokenCounts
from latentvqa.data.blind.models import BlindModels
from latentvqa.data.blind.words import WordModel
from latentvqa.errors import CheckpointError
from latentvqa.sums import NewerFormatError

SCHEMA = 1


def to_bytes(models: BlindModels) -> tuple[bytes, bytes]:
    """The models as JSON, and the weights of the one that reads words as safetensors."""
    words = models.words
    classes = [] if words is None else list(words.classes)
    keys = list(dict.fromkeys([*models.texts, *classes]))
    place = {key: i for i, key in enumerate(keys)}
    groups: dict[str, Any] = {}
    for name, counts in models.groups.items():
        by_group: dict[str, dict[str, int]] = {}
        for (group, key), count in counts.counts.items():
            by_group.setdefault(str(group), {})[str(place[key])] = count
        groups[name] = {"strength": counts.strength, "counts": by_group}
    content = {
        "schema": SCHEMA,
        "answers": [[list(key), models.texts.get(key, "")] for key in keys],
        "tokens": {str(token): count for token, count in models.tokens.counts.items()},
        "vocabulary": models.tokens.vocabulary,
        "groups": groups,
        "guesses": {name: dict(held) for name, held in models.guesses.items()},
        "text_share": models.text_share,
        "features": None if words is None else list(words.features),
        "classes": None if words is None else [place[key] for key in classes],
    }
    weights = (
        {}
        if words is None
        else {"embeddings": words.embeddings, "weights": words.weights, "bias": words.bias}
    )
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.encode(), save({name: tensor.contiguous() for name, tensor in weights.items()})


def from_bytes(content: bytes, weights: bytes, source: str) -> BlindModels:
    """Read what :func:`to_bytes` gave.

    Args:
        content: the JSON.
        weights: the safetensors.
        source: where they come from, for messages.

    Raises:
        CheckpointError: naming the source, if it is damaged.
        NewerFormatError: likewise, if a newer version wrote it.
    """
    try:
        held = json.loads(content)
        _require_known(held["schema"], source)
        keys = [tuple(ids) for ids, _ in held["answers"]]
        words = None
        if held["features"] is not None:
            tensors = load(weights)
            words = WordModel(
                {name: place for place, name in enumerate(held["features"], start=1)},
                [keys[i] for i in held["classes"]],
                tensors["embeddings"],
                tensors["weights"],
                tensors["bias"],
            )
        return BlindModels(
            TokenCounts({int(k): v for k, v in held["tokens"].items()}, held["vocabulary"]),
            {
                name: GroupCounts(
                    {
                        (group, keys[int(place)]): count
                        for group, counts in level["counts"].items()
                        for place, count in counts.items()
                    },
                    {group: sum(counts.values()) for group, counts in level["counts"].items()},
                    level["strength"],
                )
                for name, level in held["groups"].items()
            },
            held["guesses"],
            dict(zip(keys, (text for _, text in held["answers"]), strict=True)),
            words,
            held["text_share"],
        )
    except NewerFormatError:
        raise
    except Exception as error:  # whatever damage does to JSON, keys, types or tensors
        raise CheckpointError(f"{source}: damaged: {error}") from error


def _require_known(schema: int, source: str) -> None:
    if sentence := newer_format(source, schema, SCHEMA):
        raise NewerFormatError(sentence)
