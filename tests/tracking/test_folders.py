"""Files of the tools give way to a new run, and nothing else does."""

from latentvqa.tracking.folders import remove_tracked

MADE = (
    "tensorboard/events.out.tfevents.1.host.2.0",
    "wandb/latentvqa.json",
    "wandb/debug.log",
    "wandb/offline-run-20260101_000000-ab12/run-ab12.wandb",
    "trackio/latentvqa.db",
    "trackio/latentvqa.lock",
    "trackio/media/latentvqa/run/0/one.png",
)
KEPT = ("tensorboard/notes.md", "wandb/settings", "trackio/other.db")


def write(run, names):
    for name in names:
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).touch()


def test_what_the_tools_made_goes_with_its_folders(tmp_path):
    write(tmp_path, MADE)
    (tmp_path / "wandb" / "latest-run").symlink_to("offline-run-20260101_000000-ab12")
    remove_tracked(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_of_the_users_stay_beside_them(tmp_path):
    write(tmp_path, (*MADE, *KEPT))
    remove_tracked(tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert left | {"wandb/settings"} == set(KEPT)
    assert (tmp_path / "wandb" / "settings").exists()


def test_what_a_link_leads_to_stays(tmp_path):
    theirs, run = tmp_path / "theirs", tmp_path / "run"
    write(theirs, MADE)
    run.mkdir()
    for name in ("tensorboard", "wandb", "trackio"):
        (run / name).symlink_to(theirs / name)
    remove_tracked(run)
    assert all((theirs / name).exists() for name in MADE)
