"""What a report of a fault needs to say of the machine."""

import platform

import torch


def test_versions_devices_and_places_are_shown(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    done = cli("doctor")
    assert (done.code, done.err) == (0, "")
    shown = dict(line.split(maxsplit=1) for line in done.out.splitlines())
    assert shown["python"].startswith(platform.python_version())
    assert torch.__version__.startswith(shown["torch"])
    assert shown["device"].startswith(("cpu, ", "cuda, "))
    for name in ("latentvqa", "timm", "threads"):
        assert shown[name] != "not installed"
    assert "GB in " in done.out
