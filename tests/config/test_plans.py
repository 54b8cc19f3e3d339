from pathlib import Path

import pytest

from latentvqa.config import (
    ablation_warnings,
    controls,
    load_config,
    load_plan,
    plan_names,
)
from latentvqa.config.plans import OWN_BACKBONE
from latentvqa.errors import ConfigError

PLAN = """
description = "a question"
preset = "quickstart"
default = "one"
seeds = [3, 5]
[base]
kl.factor = 0.3
[arms.one]
[arms.two]
kl.free_bits = 0.2
latent.dims = 64
"""


@pytest.fixture
def write(tmp_path):
    def written(text, name="question.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


def faults_of(plan, **options):
    with pytest.raises(ConfigError) as caught:
        load_plan(str(plan), **options)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_arms_are_configurations_over_the_base(write):
    found = load_plan(str(write(PLAN)))
    assert (found.name, found.description, found.default) == ("question", "a question", "one")
    assert found.seeds == (3, 5)
    base = load_config(preset="quickstart", overrides=["kl.factor=0.3"])
    assert found.arms["one"] == base
    two = base.replace("kl", free_bits=0.2).replace("latent", dims=64)
    assert found.arms["two"] == two
    assert found.changes == {"one": {}, "two": {"kl.free_bits": 0.2, "latent.dims": 64}}
    assert found.backbone is None


@pytest.mark.parametrize(
    "arms",
    [
        '[arms]\none = {}\ntwo = { "kl.free_bits" = 0.2, "latent.dims" = 64 }\n',
        "[arms]\none = {}\ntwo = { kl.free_bits = 0.2, latent = { dims = 64 } }\n",
        "[arms.one]\n[arms.two.kl]\nfree_bits = 0.2\n[arms.two.latent]\ndims = 64\n",
    ],
)
def test_keys_may_be_dotted_or_nested(write, arms):
    plain = PLAN.partition("[arms.one]")[0]
    assert load_plan(str(write(plain + arms))) == load_plan(str(write(PLAN)))


def test_set_replaces_keys_of_the_base_and_gives_way_to_the_arms(write):
    found = load_plan(str(write(PLAN)), overrides=["kl.free_bits=0.5", "kl.factor=0.4"], seeds=3)
    assert found.seeds == (0, 1, 2)
    assert [arm.kl.free_bits for arm in found.arms.values()] == [0.5, 0.2]
    assert {arm.kl.factor for arm in found.arms.values()} == {0.4}


def test_a_configuration_takes_the_place_of_the_base_and_names_the_result(write, tmp_path):
    own = write('[data]\ntrain = "mine.csv"\nimages = "."\n', "mine.toml")
    plan = write(PLAN + "[backbone]\n")
    found = load_plan(str(plan), config=own)
    assert found.name == "question-mine"
    assert {arm.data.train for arm in found.arms.values()} == {tmp_path / "mine.csv"}
    assert {arm.kl.factor for arm in found.arms.values()} == {0.2}
    assert found.arms["two"].kl.free_bits == 0.2
    assert found.backbone is None
    assert {arm.vision.pretrained for arm in found.arms.values()} == {False}
    assert load_plan(str(plan), preset="quickstart").name == "question-quickstart"


def test_a_file_with_any_name_gives_a_result_with_a_plain_one(write):
    assert load_plan(str(write(PLAN, "Câu hỏi (2).toml"))).name == "Câu-hỏi-2-"
    own = write('[data]\nscenes = "easy"\n', "my run.toml")
    assert controls(config=own).name == "controls-my-run"
    assert load_plan("free-bits", config=own).name == "free-bits-my-run"


def test_paths_in_a_plan_are_relative_to_it(write, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    write("[kl]\nfactor = 0.7\n", "base.toml")
    text = 'config = "base.toml"\ndefault = "a"\n[base]\ndata.train = "t.csv"\ndata.images = "."\n'
    plan = write(text + '[arms.a]\n[arms.b]\nvision.pretrained = "w.safetensors"\n')
    found = load_plan(str(plan))
    assert found.arms["a"].kl.factor == 0.7
    assert found.arms["a"].data.train == tmp_path / "t.csv"
    assert found.arms["b"].vision.pretrained == tmp_path / "w.safetensors"


def test_every_fault_of_a_plan_and_its_arms_is_told_at_once(write):
    plan = write(
        'nam = "x"\ndefault = "thre"\nseeds = [1, 1]\npreset = "quickstart"\n'
        "[base]\nkl.factor = -1\n[arms.one]\nkl.free_bit = 0.1\nrun.seed = 4\n"
        '[arms.two]\nlatent.dims = "many"\n'
    )
    assert set(faults_of(plan, overrides=["text.min_count=0"])) == {
        f"{plan}: nam is unknown; did you mean name?",
        f'{plan}: default = "thre" is no arm; there are: one, two',
        f"{plan}: seeds = [1, 1]: name each seed once",
        f"{plan}: arms.one: run.seed is taken from seeds: every arm is trained with each",
        f"{plan} [base]: kl.factor = -1: input should be greater than or equal to 0",
        "--set: text.min_count = 0: input should be greater than or equal to 1",
        f"{plan} [arms.one]: kl.free_bit is unknown; did you mean free_bits?",
        f'{plan} [arms.two]: latent.dims = "many": input should be a valid integer',
    }


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[arms.a]\n", "default is missing"),
        ('default = "a"\n', "arms is missing"),
        ('default = "a"\narms = 3\n', "arms = 3: must be a table of keys"),
        ('default = "a"\narms = {}\n', "arms: must not be empty"),
        ('default = "a"\nseeds = []\n[arms.a]\n', "seeds = []: name at least one"),
        ('default = "a"\nseeds = [-1]\n[arms.a]\n', "seeds.0 = -1: input should be greater than"),
        ('default = "a"\nname = "a/b"\n[arms.a]\n', 'name = "a/b": string should match pattern'),
        ('default = "a"\n[arms]\na = 3\n', "arms.a = 3: must be a table of keys"),
    ],
)
def test_a_plan_with_the_wrong_shape_is_told_as_a_configuration_is(write, text, fault):
    plan = write(text)
    assert any(told.startswith(f"{plan}: {fault}") for told in faults_of(plan)), faults_of(plan)


def test_an_unknown_preset_in_a_plan_is_told_with_the_plan(write):
    plan = write('preset = "quickstar"\ndefault = "a"\n[arms.a]\n')
    with pytest.raises(ConfigError, match=r"Did you mean quickstart\?") as caught:
        load_plan(str(plan))
    assert str(caught.value).startswith(f"{plan}: preset = quickstar: no such preset.")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("free-bit", r"free-bit: no such plan. Did you mean free-bits\?"),
        ("absent.toml", "absent.toml: no such file"),
    ],
)
def test_a_plan_that_is_not_there_is_named_with_the_nearest(name, words):
    with pytest.raises(ConfigError, match=words):
        load_plan(name)


def test_the_notes_ablations_ship_as_plans():
    assert plan_names() == [
        "baseline-stage",
        "early-stopping",
        "free-bits",
        "kl-factor",
        "vision-freeze",
    ]


@pytest.mark.parametrize("name", plan_names())
def test_every_shipped_plan_resolves_and_warns_of_nothing(name):
    found = load_plan(name)
    assert found.name == name
    assert found.description
    assert len(found.seeds) >= 3
    assert len(found.arms) >= 2
    assert ablation_warnings(found) == []
    assert {arm.data.scenes for arm in found.arms.values()} == {"easy"}


def varied(name, section, key):
    found = load_plan(name)
    values = {arm: getattr(getattr(config, section), key) for arm, config in found.arms.items()}
    return set(values.values()), values[found.default]


def test_the_shipped_plans_vary_what_the_notes_ask_for():
    assert varied("free-bits", "kl", "free_bits") == ({0.05, 0.1, 0.2}, 0.1)
    assert varied("kl-factor", "kl", "factor") == ({0.1, 0.15, 0.2}, 0.2)
    assert varied("vision-freeze", "vision", "freeze_epochs") == ({0, 3, 5}, 3)
    metrics = {"answer_loss", "total_loss"}
    assert varied("early-stopping", "early_stopping", "metric") == (metrics, "answer_loss")
    assert varied("baseline-stage", "stages", "baseline") == ({0, 3}, 0)


def test_the_backbone_of_the_freezing_plan_has_seen_other_scenes():
    found = load_plan("vision-freeze")
    assert {arm.vision.pretrained for arm in found.arms.values()} == {OWN_BACKBONE}
    assert found.backbone.vision.pretrained is False
    seeds = {arm.data.scene_seed for arm in found.arms.values()}
    assert found.backbone.data.scene_seed not in seeds
    assert found.backbone.data.scene_families == ("shape", "left", "top")


def test_the_controls_differ_from_the_latent_model_in_one_key_each():
    found = controls(preset="quickstart", seeds=2)
    assert (found.name, found.default, found.seeds) == ("controls-quickstart", "latent", (0, 1))
    latent = load_config(preset="quickstart")
    assert found.arms == {
        "latent": latent,
        "deterministic": latent.replace("latent", bottleneck="deterministic"),
        "none": latent.replace("latent", bottleneck="none"),
        "question only": latent.replace("vision", blind=True),
    }


def test_the_controls_of_nothing_in_particular_start_from_the_ablation_preset():
    assert controls().name == "controls-ablation"
    own = controls(overrides=["data.scenes=full", "run.device=cpu"])
    assert own.name == "controls"
    assert own.arms["latent"].data.scenes == "full"


@pytest.mark.parametrize("override", ["latent.bottleneck=none", "vision.blind=true"])
def test_a_control_has_no_controls(override):
    with pytest.raises(ConfigError, match="--controls compares the latent model"):
        controls(preset="quickstart", overrides=[override])


def test_faults_of_the_controls_configuration_are_told_once():
    with pytest.raises(ConfigError) as caught:
        controls(preset="quickstart", overrides=["kl.factor=-1", "kl"])
    assert [line.strip() for line in str(caught.value).splitlines()[1:]] == [
        "--set kl: write it as section.key=value, as in kl.free_bits=0.05",
        "--set: kl.factor = -1: input should be greater than or equal to 0",
    ]


def test_a_plan_is_read_without_touching_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load_plan("vision-freeze")
    assert list(Path().iterdir()) == []
