"""Configurations with good and bad keys, or that are no configuration, one for each seed."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.hostile.outcome import Accepted, Refused

GOOD = {
    "fusion.width": ("64", "256"),
    "fusion.dropout": ("0", "0.25"),
    "latent.tokens": ("1", "12"),
    "latent.initial_logvar": ("-1.5", "1e-3"),
    "kl.factor": ("0.0", "1e2"),
    "kl.schedule": ('"constant"', "'linear'"),
    "vision.name": ('"resnet18"', '"hf-hub:timm/resnet18.a1_in1k"'),
    "vision.image_size": ("96", '"auto"'),
    "text.language": ('""', '"vi"'),
    "stages.warmup": ("1", "20"),
    "data.first_types": ("[]",),
    "loader.workers": ("0", "0x4"),
    "run.seed": ("7", "1_000"),
    "run.device": ('"cpu"', '"nul\\u0000l"'),
    "optimizer.clip_norm": ("0.5", "1e6"),
}
BAD_VALUES = {
    "fusion.width": ("nan", "-4", "4096000", "128.0", "true", '"128"', "[128]", "2020-01-01"),
    "fusion.layers": ("24000", "0", "inf", "{a = 1}"),
    "latent.dims": ("0", "8193", "1e3", "9223372036854775807", '"\\u001b[31m"'),
    "latent.temperature": ("nan", "inf", "-inf", "-0.1", "10.000001", '"1"'),
    "kl.free_bits": ("nan", "inf", "-1e-9", '"automatic"', "1e308"),
    "kl.max_weight": ("inf", "-nan", "1e7", "9007199254740993000"),
    "optimizer.decoder_rate": ("0.0", "nan", "2", "-1", "1e400"),
    "run.seed": ("-1", "2147483648", "0.5", '"0"', "true", "07:32:00"),
    "run.max_minutes": ("nan", "inf", "0", "-5"),
    "data.val_fraction": ("0.0", "1.0", "nan", '"half"'),
    # names of other columns are told once all values can be read
    "data.columns": ('"x"', "{image = 3}", "[]"),
    "data.scenes": ('"hard"', "true", "1"),
    "vision.name": ('""', '"hf-hub:"', '"hf-hub:a/b/c"', '"x:y"', '"timm/resnet18"', "3"),
    "text.language": ('"english"', '"EN"', '"\\u200b"'),
    "loader.feature_folder": ('"a\\u0000b"', "1"),
    "stages.full": ("-1", "1e3", "100001", "nan"),
    "kl_health.collapse_kl": ("nan", "-inf", '"x"'),
}
UNKNOWN = ("fusion.widht", "kl.free_bitss", "run.x\\u001b[31m", "nowhere.x", "data.trian")
NO_TOML = (
    (b"[run]\nseed = " + b"9" * 5000, "does not fit into 64 bits"),
    (b"[run]\nseed = 0x" + b"f" * 5000, "does not fit into 64 bits"),
    (b"[data]\nfirst_types = " + b"[" * 3000 + b"]" * 3000, "deep in one another"),
    (b"x = " + b"{a = " * 3000 + b"1" + b"}" * 3000, "deep in one another"),
    (b"a." * 100_000 + b"b = 1", "deep in one another"),
    (b"[" + b"a." * 200 + b"b]", "deep in one another"),
    (b"[run]\nseed = 1\nseed = 2\n", "not valid TOML"),
    (b"[run]\nseed = \0", "not valid TOML"),
    (b"\xff\xfe[\0r\0", "cannot be read as UTF-8"),
    ("[run]\ndevice = 'é'".encode("latin1"), "cannot be read as UTF-8"),
    (b"[run\nseed = 1", "not valid TOML"),
    (b"x = '" + b"y" * (2 << 20) + b"'", "larger than 1 MiB"),
    (b"\x1f\x8b\x08\0\0\0", "cannot be read as UTF-8"),
)


def hostile_configuration(seed: int, folder: Path) -> tuple[list[str], Accepted | Refused]:
    """Write the configuration of a seed: its options, and what must become of them."""
    random = Random(f"configuration {seed}")
    path = folder / "run.toml"
    if seed % 5 == 0:
        content, told = random.choice(NO_TOML)
        path.write_bytes(content)
        return ["--config", str(path)], Refused((str(path), told))
    if seed % 50 == 1:
        return ["--config", str(_no_file(random, folder))], Refused(("x.toml",))
    chosen = random.sample(sorted(GOOD), random.randint(1, 6))
    good = {key: random.choice(GOOD[key]) for key in chosen}
    bad: dict[str, str] = {}
    if seed % 2:
        for key in random.sample(sorted(BAD_VALUES), random.randint(1, 4)):
            bad[key] = random.choice(BAD_VALUES[key])
        if random.random() < 0.3:
            bad[random.choice(UNKNOWN)] = "1"
    written, options = _split(random, {**good, **bad})
    path.write_bytes(random.choice((b"", b"\xef\xbb\xbf")) + _toml(written).encode())
    outcome = Refused(tuple(key for key in bad if "\\" not in key and "nowhere" not in key))
    values = {key: value for key, value in good.items() if key not in bad}
    return ["--config", str(path), *options], outcome if bad else Accepted(values)


def _no_file(random: Random, folder: Path) -> Path:
    path = folder / "x.toml"
    if random.random() < 0.5:
        path.mkdir()
    elif random.random() < 0.5:
        path.symlink_to("/dev/zero")
    return path


def _split(random: Random, keys: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Some keys for the file, the others as ``--set``."""
    written = {key: value for key, value in keys.items() if random.random() < 0.6 or "\\" in key}
    rest = {key: value for key, value in keys.items() if key not in written}
    return written, [part for key, value in rest.items() for part in ("--set", f"{key}={value}")]


def _toml(keys: dict[str, str]) -> str:
    """Keys below the headings of their sections."""
    sections: dict[str, list[str]] = {}
    for dotted, value in keys.items():
        section, _, key = dotted.partition(".")
        sections.setdefault(section, []).append(f'"{key}" = {value}')
    return "\n".join(f"[{name}]\n" + "\n".join(lines) for name, lines in sections.items())
