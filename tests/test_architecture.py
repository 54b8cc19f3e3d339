"""Who may import whom, what stays unloaded, and what has a name or a help text."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer

import latentvqa
from latentvqa import errors
from latentvqa.cli import app

PACKAGE = Path(latentvqa.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ("torch", "torchvision", "timm", "pandas", "numpy", "matplotlib", "pyarrow", "jinja2")

# a part imports from parts on lower levels; within a level, as listed beside it
LEVELS = (
    {"errors", "stopping", "regular_files"},
    {"core"},
    {
        "config",
        "history",
        "log_lines",
        "logs",
        "report",
        "durable",
        "outputs",
        "python_process",
        "resumable_output",
        "sums",
    },
    {"models", "objectives", "data", "tracking"},
    {"engine"},
    {"library"},
    {"cli"},
    {"__main__"},
)
BESIDE = {
    ("stopping", "errors"),
    ("history", "durable"),
    ("history", "log_lines"),
    ("outputs", "durable"),
    ("resumable_output", "durable"),
    ("resumable_output", "outputs"),
    ("sums", "durable"),
    ("report", "history"),
    ("logs", "history"),
    ("logs", "config"),
}
LEVEL_OF = {part: level for level, parts in enumerate(LEVELS) for part in parts}


def part_of(module):
    """The part of a dotted name below latentvqa; the package itself counts as errors."""
    names = module.split(".")
    return names[1] if len(names) > 1 else "errors"


def part_of_file(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(path, *, top_level_only=False):
    """Every module that a file imports, but for type checking."""
    tree = ast.parse(path.read_text(encoding="utf-8"))

    def walk(node):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if top_level_only and isinstance(child, ast.FunctionDef):
                continue
            if isinstance(child, ast.Import):
                yield from (alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}: a relative import"
                known = [f"{child.module}.{alias.name}" for alias in child.names]
                yield from known if child.module == "latentvqa" else [child.module]
            yield from walk(child)

    return list(walk(tree))


def below(part):
    """Every module of a part, whatever folder it lies in."""
    found = [path for path in MODULES if part_of_file(path) == part]
    assert len(found) == len(list((PACKAGE / part).rglob("*.py")))
    return found


def importers_of(name):
    return {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if any(module.split(".")[0] == name for module in imports_of(path))
    }


def test_every_part_has_a_level():
    parts = {part_of_file(path) for path in MODULES} - {"__init__"}
    assert parts == set(LEVEL_OF)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_downward_only(path):
    own = part_of_file(path)
    if own == "__init__":
        own = "errors"
    for module in imports_of(path):
        if module.split(".")[0] != "latentvqa" or module == "latentvqa.__version__":
            continue
        other = part_of(module)
        is_below = LEVEL_OF[other] < LEVEL_OF[own]
        assert other == own or is_below or (own, other) in BESIDE, f"{own} imports {module}"


def test_the_core_is_pure():
    for path in below("core"):
        found = {module.split(".")[0] for module in imports_of(path)}
        assert found.isdisjoint({*HEAVY, "rich", "typer", "PIL", "json", "pathlib", "os"}), path


def test_the_engine_knows_neither_rich_nor_typer():
    for name in ("rich", "typer", "click"):
        assert not any(path.startswith("engine/") for path in importers_of(name))


def test_only_data_and_engine_import_pandas():
    assert {path.split("/")[0] for path in importers_of("pandas")} <= {"data", "engine"}


def test_readers_of_logs_need_nothing_heavy_and_tensorboard_in_one_function_only():
    for path in below("logs"):
        assert {module.split(".")[0] for module in imports_of(path)}.isdisjoint(HEAVY), path
        assert not any("tensorboard" in name for name in imports_of(path, top_level_only=True))
    readers = {"logs/readers/event_files.py", "tracking/tensorboard.py"}
    assert importers_of("tensorboard") == readers


def test_each_tool_that_is_told_of_a_training_is_known_in_one_module_only():
    assert importers_of("wandb") == {"tracking/wandb.py"}
    assert importers_of("trackio") == {"tracking/trackio.py"}


def test_models_and_objectives_read_no_configuration_and_log_nothing():
    for path in [*below("models"), PACKAGE / "objectives.py"]:
        found = set(imports_of(path))
        assert not {name for name in found if name.startswith("latentvqa.config")}, path
        if path != PACKAGE / "models/vision/weights.py":  # keeps timm's remarks off the screen
            assert "logging" not in found, path
        assert found.isdisjoint({"rich", "tomllib"}), path


def test_command_modules_import_nothing_heavy_at_their_top():
    for path in below("cli"):
        if path.name in ("console.py", "prediction_files.py"):  # imported inside function bodies
            continue
        for module in imports_of(path, top_level_only=True):
            assert module.split(".")[0] not in HEAVY, path
            assert not module.startswith(("latentvqa.engine", "latentvqa.models")), path


def test_no_file_has_a_name_that_names_nothing():
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
    assert {path.stem for path in MODULES}.isdisjoint(vague)


def test_no_time_is_taken_from_a_clock_that_can_be_set_back():
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        read = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert read.isdisjoint({"time.time", "time.time_ns", "time.localtime"}), path
        if path.name != "file_lock.py":  # says to people since when another process writes
            assert "datetime" not in {name.split(".")[0] for name in imports_of(path)}, path


def test_every_module_opens_with_what_it_is_for():
    for path in MODULES:
        document = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert document, path


# Where a newcomer finds things.

MOST_FILES, MOST_LINES = 16, 300


def test_no_folder_has_more_files_than_the_eye_takes_in():
    folders = {path.parent for path in MODULES}
    counts = {folder: len(list(folder.glob("*.py"))) for folder in folders}
    assert sum(counts.values()) == len(MODULES)
    assert {folder: count for folder, count in counts.items() if count > MOST_FILES} == {}


def test_a_long_module_says_why_it_is_long():
    long = []
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        has_reason = re.search(r"\blong\b", ast.get_docstring(ast.parse(text)) or "", re.IGNORECASE)
        if len(text.splitlines()) > MOST_LINES and not has_reason:
            long.append(path)
    assert long == []


# modules without a test file of the same name, and why
UNTESTED = {
    "core/audit/facts.py": "declarations",
    "core/results/audit.py": "declarations",
    "core/results/confidence.py": "declarations",
    "core/results/samples.py": "declarations",
    "engine/latent_use/examination.py": "declarations",
    "logs/readers/rows.py": "declarations",
    "tracking/trackio.py": "tests/tracking/test_tracker.py tells all tools the same run",
    "tracking/wandb.py": "tests/tracking/test_tracker.py tells all tools the same run",
}


def test_every_module_with_logic_has_its_test_file():
    tests = PACKAGE.parent / "tests"
    modules = {path.relative_to(PACKAGE) for path in MODULES if path.name != "__init__.py"}
    mirrors = {path: tests / path.parent / f"test_{path.name}" for path in modules}
    without = {path.as_posix() for path, mirror in mirrors.items() if not mirror.is_file()}
    assert without == UNTESTED.keys()


# What stays unloaded.

SHOW_LOADED = f"""
import sys
try:
    from latentvqa.cli import main
    main()
finally:
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    print("LOADED", loaded, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--help"], 0, "diagnose-kl"),
        (["--version"], 0, latentvqa.__version__),
        (["train", "--help"], 0, "--dry-run"),
        (["diagnose-kl", "--help"], 0, "--fail-on"),
        (["train", "--set", "kl.factor=-1", "--preset", "quickstart"], 2, "kl.factor = -1"),
        (["train", "--config", "absent.toml"], 2, "absent.toml: no such file"),
        (["diagnose-kl", "absent-run"], 1, "absent-run"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_help_version_and_config_errors_load_nothing_heavy(arguments, code, words, tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", SHOW_LOADED, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert result.returncode == code, result.stderr
    assert words in result.stdout + result.stderr
    assert "LOADED []" in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_reading_a_configuration_loads_nothing_heavy():
    code = (
        "import sys; from latentvqa.config import load_config; import latentvqa.history;"
        f"load_config(preset='quickstart'); print([n for n in {HEAVY!r} if n in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("use", "unloaded"),
    [
        ("latentvqa", (*HEAVY, "pydantic", "rich", "typer", "latentvqa.library")),
        ("latentvqa.load_config(preset='quickstart')", HEAVY),
        ("latentvqa.diagnose, latentvqa.read_log", HEAVY),
    ],
)
def test_the_library_loads_what_is_used_alone(use, unloaded):
    code = f"import sys, latentvqa; {use}; print([n for n in {unloaded!r} if n in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


# Names.


ERRORS = {
    "CheckpointError",
    "ConfigError",
    "DataError",
    "DivergenceError",
    "HistoryError",
    "LatentVQAError",
    "LoaderError",
    "OutputError",
    "ScorerError",
}
CLASSES = {"Answer", "Answerer", "Config", "Observer", "Run"}
FUNCTIONS = {"diagnose", "evaluate", "load", "load_config", "read_log", "resume", "train"}


def test_the_exported_names_are_as_expected():
    assert set(latentvqa.__all__) == ERRORS | CLASSES | FUNCTIONS | {"__version__"}
    assert set(latentvqa.__all__) <= set(dir(latentvqa))
    defined = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert defined == ERRORS
    for name in ERRORS:
        assert getattr(latentvqa, name) is getattr(errors, name)
        assert issubclass(getattr(errors, name), errors.LatentVQAError)
        assert name in errors.__doc__


@pytest.mark.parametrize("name", sorted(CLASSES | FUNCTIONS))
def test_every_exported_name_is_documented_and_typed(name):
    value = getattr(latentvqa, name)
    assert isinstance(value, type) is (name in CLASSES)
    assert value.__name__ == name and value.__doc__
    if name in FUNCTIONS:
        assert "Raises:" in value.__doc__
        parameters = inspect.signature(value).parameters
        assert value.__annotations__.keys() == {*parameters, "return"}


def test_a_name_that_is_not_exported_is_no_attribute():
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        _ = latentvqa.trian


def test_only_a_configuration_fault_exits_with_the_code_of_usage():
    codes = {name: getattr(errors, name).exit_code for name in vars(errors) if "Error" in name}
    assert codes.pop("ConfigError") == 2
    assert set(codes.values()) == {1}


@pytest.mark.parametrize("path", [p for p in MODULES if p.name == "__init__.py"], ids=str)
def test_what_a_package_exports_is_sorted_and_there(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)  # the lazy names of the package are imported for typing
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names = ast.literal_eval(node.value)
            assert len(names) == len(set(names))
            assert set(names) <= imported | {"__version__"}


# Help.


def commands():
    def walk(name, command):
        if isinstance(command, click.Group) or hasattr(command, "commands"):
            for inner_name, inner in command.commands.items():
                yield from walk(f"{name} {inner_name}".strip(), inner)
        yield name, command

    return list(walk("", typer.main.get_command(app)))


def test_the_commands_are_those_of_the_documentation():
    names = {name for name, _ in commands()}
    assert {
        "train",
        "evaluate",
        "diagnose-kl",
        "predict",
        "demo",
        "report",
        "ablate",
        "data make-scenes",
    } <= names


@pytest.mark.parametrize(("name", "command"), commands(), ids=[name for name, _ in commands()])
def test_every_command_and_option_has_help(name, command):
    assert command.help, name
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name}: {parameter.name}"
