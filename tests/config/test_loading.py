from contextlib import suppress
from pathlib import Path

import pytest

from latentvqa.config import Config, config_warnings, load_config, preset_names
from latentvqa.config.loading import known_keys
from latentvqa.errors import ConfigError
from tests.config.faulty import DATA, faults_of


def test_every_fault_is_told_at_once_with_file_key_value_and_bound(write):
    path = write(
        '[kl]\nfactor = -1\nfree_bitss = 1.0\n[latent]\ntokens = "six"\ndims = 0\n'
        '[data]\nscenes = "hard"\n[nowhere]\nx = 1\n'
    )
    faults = faults_of(path, overrides=["run.seed=-3", "fusion.dropout=1.0"])
    expected = {
        f"{path}: kl.factor = -1: input should be greater than or equal to 0",
        f"{path}: kl.free_bitss is unknown; did you mean free_bits?",
        f'{path}: latent.tokens = "six": input should be a valid integer',
        f"{path}: latent.dims = 0: input should be greater than or equal to 1",
        f"{path}: data.scenes = \"hard\": input should be 'easy' or 'full'",
        "--set: run.seed = -3: input should be greater than or equal to 0",
        "--set: fusion.dropout = 1.0: input should be less than 1",
    }
    assert expected <= set(faults)
    (unknown,) = set(faults) - expected
    assert unknown.startswith(f"{path}: nowhere is unknown; known: data, vision,")


def test_conflicts_between_keys_are_told_along_with_the_faults_of_others(write):
    path = write("[fusion]\nheads = 5\n[kl]\nfactor = -1\n")
    assert sorted(faults_of(path)) == sorted(
        [
            f"{path}: kl.factor = -1: input should be greater than or equal to 0",
            f"{path}: fusion.heads must divide fusion.width = 128",
            "configuration: data.train is missing: the table of training questions",
        ]
    )


def test_a_section_with_a_fault_causes_no_conflict_that_is_none(write):
    path = write('[fusion]\nwidth = "wide"\nheads = 48\n' + DATA)
    assert faults_of(path) == [
        f'{path}: fusion.width = "wide": input should be a valid integer',
    ]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[data]\ntrain = "a.csv"\n', "data.images is missing"),
        (DATA + "[stages]\nwarmup = 0\nfull = 0\n", "stages.warmup all stages"),
        (DATA + '[teacher]\nscorer = "mine"\n', "teacher.scorer must be"),
        (DATA + '[data.columns]\nphoto = "x"\n', "data.columns.photo is none of image,"),
        (DATA + "[kl_health]\nhigh_kl = 0.01\n", "kl_health: healthy_kl_high = 0.08 must not"),
        (DATA + "[data.columns]\nimage = 3\n", "data.columns.image = 3: input should be a valid"),
    ],
)
def test_keys_that_do_not_fit_together_are_told_with_their_file(write, text, key):
    path = write(text)
    (fault,) = faults_of(path)
    assert key in fault
    assert fault.startswith((f"{path}: ", "configuration: data.images"))


def test_a_fault_is_blamed_on_the_source_that_set_the_very_key(write):
    path = write('[data]\nscenes = "easy"\nval = 3\n')
    (fault,) = faults_of(path, overrides=["data.val_fraction=0.2"])
    assert fault.startswith(f"{path}: data.val = 3")


def test_defaults_give_way_to_preset_then_file_then_set(write):
    preset = load_config(preset="quickstart")
    assert preset.stages != Config().stages
    path = write("[stages]\nwarmup = 7\n[loader]\nbatch_size = 33\n")
    filed = load_config(path, preset="quickstart")
    assert (filed.stages.warmup, filed.stages.full) == (7, preset.stages.full)
    final = load_config(
        path, preset="quickstart", overrides=["stages.warmup=8", "stages.warmup = 9"]
    )
    assert final.stages.warmup == 9
    assert final.loader.batch_size == 33
    assert final.teacher == Config().teacher


def test_column_names_from_several_sources_add_up(write):
    path = write(DATA + '[data.columns]\nimage = "img_id"\nquestion = "q"\n')
    config = load_config(path, overrides=["data.columns.question=ask", "data.columns.answer=say"])
    assert config.data.columns == {"image": "img_id", "question": "ask", "answer": "say"}


def test_paths_in_a_file_are_relative_to_it_and_in_set_to_the_working_directory(
    write, tmp_path, monkeypatch
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    path = write('[data]\ntrain = "t.csv"\nval = "/abs/v.csv"\nimages = "sub/../pics"\n')
    config = load_config(
        path, overrides=["vision.pretrained=w.safetensors", "data.val_images=../vi"]
    )
    assert config.data.train == tmp_path / "t.csv"
    assert config.data.val == Path("/abs/v.csv")
    assert config.data.images == tmp_path / "pics"
    assert config.data.val_images == tmp_path / "vi"
    assert config.vision.pretrained == elsewhere / "w.safetensors"


def test_a_relative_config_file_gives_absolute_paths(write, tmp_path, monkeypatch):
    write('[data]\ntrain = "t.csv"\nimages = "pics"\n')
    monkeypatch.chdir(tmp_path)
    assert load_config(Path("run.toml")).data.train == tmp_path / "t.csv"


def test_the_home_folder_is_expanded_and_an_unknown_one_does_no_harm(write, monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    data = '[data]\ntrain = "~/t.csv"\nimages = "~nobody-of-this-name/pics"\n'
    config = load_config(write(data))
    assert config.data.train == Path("/home/somebody/t.csv")
    assert config.data.images == Path("~nobody-of-this-name/pics")


def test_a_path_with_nul_is_refused(write):
    (fault,) = faults_of(write(DATA + 'val = "a\\u0000b"\n'))
    assert "data.val" in fault
    assert "a path holds no NUL character" in fault


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("run.device=cuda:1", "cuda:1"),
        ('run.device="cuda:1"', "cuda:1"),
        ("run.device = mps ", "mps"),
        ("run.device=", ""),
        ("run.device=a=b", "a=b"),
    ],
)
def test_a_set_value_is_toml_or_else_a_string(override, value):
    assert load_config(preset="quickstart", overrides=[override]).run.device == value


def test_set_values_keep_their_toml_type():
    config = load_config(
        preset="quickstart",
        overrides=[
            "vision.pretrained=true",
            "kl.factor=1",
            "kl.reduction=sum",
            'data.columns={image="i"}',
        ],
    )
    assert config.vision.pretrained is True
    assert config.kl.factor == 1.0
    assert config.kl.reduction == "sum"
    assert config.data.columns == {"image": "i"}


def test_every_override_that_cannot_be_read_is_told():
    faults = faults_of(
        preset="quickstart", overrides=["kl.free_bits", "seed=3", "=1", "kl.=2", "kl.factor=-1"]
    )
    assert [fault.split(":")[0] for fault in faults] == [
        "--set kl.free_bits",
        "--set seed=3",
        "--set =1",
        "--set kl.=2",
        "--set",
    ]
    assert all("section.key=value" in fault for fault in faults[:-1])


def test_a_set_value_cannot_smuggle_in_another_key():
    override = 'run.device="cpu"\n[run]\nseed = 5'
    run = load_config(preset="quickstart", overrides=[override]).run
    assert run.device == '"cpu"\n[run]\nseed = 5'
    assert run.seed == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"[data\n", "not valid TOML: .*line 1"),
        (b"a = 1\na = 2\n", "not valid TOML"),
        (b"\xff\xfe", "cannot be read as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, content, words):
    path = tmp_path / "run.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"run.toml: .*{words}"):
        load_config(path)


def test_a_folder_is_no_configuration(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: is a folder, not a file"):
        load_config(tmp_path)


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "run.toml"
    path.write_bytes(b"\xef\xbb\xbf" + DATA.encode())
    assert load_config(path).data.scenes == "easy"


def test_an_unknown_preset_is_answered_with_the_nearest_and_all():
    with pytest.raises(ConfigError, match=r"no such preset. Did you mean quickstart\?.*easy-vqa"):
        load_config(preset="quickstrat")


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads_once_it_has_data(name):
    config = load_config(preset=name, overrides=["data.scenes=easy"])
    assert config_warnings(config) == []


@pytest.mark.parametrize(
    ("overrides", "fault"),
    [
        ([], "kl.set_point is missing: the kl_raw that"),
        (["kl.set_point=0.1"], "kl.set_point = 0.1 must lie above kl.free_bits = 0.1: free bits"),
        (["kl.set_point=0.0"], "kl.set_point = 0.0: input should be greater than 0"),
        (["kl.set_point=0.2", "kl.free_bits=0.3"], "kl.set_point = 0.2 must lie above"),
    ],
)
def test_a_controller_needs_a_set_point_that_free_bits_leave_in_reach(overrides, fault):
    (told,) = faults_of(
        preset="quickstart",
        overrides=["kl.schedule=controller", "kl.warmup_epochs=auto", *overrides],
    )
    assert fault in told


@pytest.mark.parametrize("free_bits", ["0", "0.1", "auto"])
def test_a_set_point_above_free_bits_is_fine(free_bits):
    options = ["kl.schedule=controller", "kl.set_point=0.11", f"kl.free_bits={free_bits}"]
    kl = load_config(preset="easy-vqa", overrides=["data.scenes=easy", *options]).kl
    assert kl.set_point == 0.11


def test_families_of_scene_questions_are_a_list_of_known_names(write):
    path = write('[data]\nscenes = "easy"\nscene_families = ["shape", "left"]\n')
    assert load_config(path).data.scene_families == ("shape", "left")
    (fault,) = faults_of(path, overrides=['data.scene_families=["colour"]'])
    assert fault.startswith("--set: data.scene_families = ")
    assert "'shape'" in fault


def test_of_thousands_of_faults_the_first_are_listed_and_all_are_counted(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(DATA + "[run]\n" + "".join(f"k{place} = 1\n" for place in range(3000)))
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    heading, *lines = str(caught.value).splitlines()
    assert heading == "3000 faults in the configuration:"
    assert len(lines) == 51
    assert lines[-1] == "  and 2950 more"


def test_long_keys_and_values_are_cut_in_messages():
    faults = faults_of(
        overrides=[f"run.{'k' * 10**5}=1", f"run.device={'[' * 10**5}", "run.seed=x"]
    )
    assert all(len(fault) < 400 for fault in faults)
    many = faults_of(overrides=[f"run.seed={'9' * 5000}", "data.scenes=easy"])
    assert many[0].startswith('--set: run.seed = "99999') and "valid integer" in faults[0]


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e308", "-9223372036854775808"])
def test_no_number_of_any_section_may_be_nan_infinite_or_absurd(number):
    for section, keys in known_keys().items():
        for key in keys:
            if section == "data" and key in ("train", "val", "images", "val_images", "columns"):
                continue
            with suppress(ConfigError):
                held = getattr(getattr(choice(f"{section}.{key}={number}"), section), key)
                assert not isinstance(held, float | int), f"{section}.{key}"


def choice(override):
    return load_config(overrides=['data.scenes="easy"', override])


def test_a_key_that_holds_a_dot_is_a_fault_of_the_table_it_should_stand_in(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('"data.train" = "x"\n')
    (fault,) = [line for line in faults_of(path) if "data.train is unknown" in line]
    assert "did you mean data?" in fault
