"""Where the runs of an ablation lie, what tells them apart, and how they ended."""

from random import Random

from latentvqa.config import load_plan, plan_names
from latentvqa.engine.ablation.runs import Ending, places_of, read_ending, write_ending


def test_the_shipped_plans_share_the_runs_of_their_defaults(tmp_path):
    keys = {}
    for name in plan_names():
        found = load_plan(name)
        keys[name] = {
            place.seed: place.key
            for place in places_of(found, tmp_path)
            if place.arm == found.default
        }
    own_backbone = keys.pop("vision-freeze")
    shared = keys["free-bits"]
    assert all(of_plan == shared for of_plan in keys.values())
    assert len(set(shared.values())) == 3
    assert set(own_backbone.values()).isdisjoint(shared.values())


def test_a_run_keeps_its_key_wherever_the_folder_is_and_loses_it_with_any_setting(tmp_path):
    def key(root="a", **options):
        return places_of(load_plan("vision-freeze", **options), tmp_path / root)[0].key

    assert key() == key(root="b")
    assert key() != key(overrides=["fusion.width=64"])
    assert key() != key(overrides=["data.scene_images=500"])  # another backbone, too
    assert key() == key(overrides=["kl.warmup_epochs=5"])  # which is what it is


def test_an_ending_is_remembered_and_forgotten(tmp_path):
    place = places_of(load_plan("free-bits"), tmp_path)[0]
    assert (place.ending(), place.state()) == (None, "waiting")
    place.folder.mkdir(parents=True)
    assert place.state() == "interrupted"
    place.write_ending(Ending(1, "điều gì đó"))
    assert place.ending() == Ending(1, "điều gì đó")
    assert place.state() == "failed"
    place.write_ending(Ending(0))
    assert place.state() == "interrupted"  # its answers are gone: resuming gives them back
    place.forget_ending()
    assert place.ending() is None


def test_an_ending_without_a_kind_is_read_and_a_torn_one_is_none(tmp_path):
    path = tmp_path / "ending.json"
    path.write_text('{"exit_code": 1, "message": "of an earlier version"}')
    assert read_ending(path) == Ending(1, "of an earlier version")
    for text in ("", "[]", '{"exit_code": 1', '{"code": 1}'):
        path.write_text(text)
        assert read_ending(path) is None


def test_an_ending_in_which_a_bit_flipped_counts_for_nothing(tmp_path):
    path, ending = tmp_path / "ending.json", Ending(1, "the disk is full", "DataError")
    write_ending(path, ending)
    whole, draws = path.read_bytes(), Random(0)
    assert read_ending(path) == ending
    for _ in range(100):
        place, bit = draws.randrange(len(whole)), 1 << draws.randrange(8)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        assert read_ending(path) in (None, ending)
