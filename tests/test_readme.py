"""The README says what is true: its examples run, its commands exist."""

import dataclasses
import json
import re
import shlex
from pathlib import Path

import pytest

import zoo
from zoo.command_line import settings
from zoo.recipes_of_methods import METHODS, recipes_of
from zoo.tuning import candidates_of, grid_of

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def _blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def _section(title):
    """A section of the page of results."""
    (text,) = re.findall(
        rf"^## {title}\n(.*?)(?=^## |\Z)", RESULTS, re.DOTALL | re.MULTILINE
    )
    return text


def _compared(figures):
    """The rows of a comparison that is kept in `docs`."""
    return json.loads((ROOT / "docs" / figures).read_text())["rows"]


def _accuracy(row):
    return f"{100 * row['test_mean']:.2f} ± {100 * row['test_deviation']:.2f} %"


def test_python_examples_run_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for block in _blocks("python"):
        exec(compile(block, "README.md", "exec"), namespace)
    printed = " ".join(capsys.readouterr().out.split())
    (promised,) = _blocks("text")
    assert " ".join(promised.split()) in printed
    assert list(tmp_path.iterdir()) == []  # nothing half-written


def test_make_targets_exist():
    targets = set(re.findall(r"`?make ([a-z]+)", README))
    assert {"demo", "test", "bench"} <= targets
    for target in targets:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_command_lines_exist():
    modules = set(re.findall(r"python -m ([a-z_.]+)", README + RESULTS))
    assert len(modules) >= 5
    for module in modules:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_recipes_exist():
    for name in set(re.findall(r"--recipe=([a-z0-9_]+)", README + RESULTS)):
        assert name in zoo.recipes.names()


@pytest.mark.parametrize("name", zoo.recipes.names())
def test_accuracies_are_those_of_the_recipes(name):
    recipe = zoo.recipes.get(name)
    if recipe.test_accuracy is not None:  # measured here
        assert f"{100 * recipe.test_accuracy:.2f}" in README + RESULTS
    if recipe.published_accuracy is not None:
        (row,) = re.findall(rf"^.*`{name}`.*$", README, re.MULTILINE)
        assert f"{100 * recipe.published_accuracy:.1f}" in row
    has_figure = recipe.test_accuracy or recipe.published_accuracy
    # the first of two stages has none
    assert has_figure or f"`{name}`" in README + RESULTS


@pytest.mark.parametrize(
    "figures, page",
    [("digits.json", README), ("digit_scenes.json", _section("Scenes of digits"))],
)
def test_the_tables_of_results_are_those_of_the_comparisons(figures, page):
    rows = _compared(figures)
    assert len(rows) == 6
    for row in rows:
        (line,) = re.findall(rf"^\| .*\(`{row['method']}`\).*$", page, re.MULTILINE)
        cells = [cell.strip() for cell in line.split("|")[2:-1]]
        assert cells == [
            _accuracy(row),
            f"{row['gap_to_float_points']:+.2f}",
            f"{row['tflite_bytes']:,}",
            f"{row['times_smaller']:.1f}",
            f"{100 * row['binary_mac_share']:.1f} %",
            f"{row['latency_ms']:.3f} ms",
            f"{row['train_step_to_float']:.2f}",
        ]
        recipe = zoo.recipes.get(row["recipe"])
        assert recipe.test_accuracy == round(row["test_mean"], 4)


@pytest.mark.parametrize(
    "figures, section",
    [("digits.json", "Digits"), ("digit_scenes.json", "Scenes of digits")],
)
def test_figures_of_binary_layers_are_those_of_the_comparisons(figures, section):
    compared = json.loads((ROOT / "docs" / figures).read_text())
    for row in compared["rows"]:
        last = compared["diagnostics"][row["recipe"]]
        lines = re.findall(
            rf"^\| `{row['method']}` \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) % \| "
            r"([\d.]+) % \|$",
            _section(section),
            re.MULTILINE,
        )
        assert len(lines) == bool(last)
        expected = [
            last[metric]["mean"] * scale
            for metric, scale in (
                ("weight_entropy", 1),
                ("activation_entropy", 1),
                ("quantization_error", 100),
                ("dead_share", 100),
            )
            if last
        ]
        for text, value in zip(*lines or [()], expected, strict=True):
            assert text == f"{value:.{len(text.partition('.')[2])}f}"


def test_the_accuracies_on_scenes_are_those_of_the_comparison():
    text = " ".join(README.split())
    called = {"Full precision": "full precision", "STE": "plain straight-through has"}
    for row in _compared("digit_scenes.json"):
        name = called.get(row["label"], row["label"])
        assert f" {name} {_accuracy(row)}" in text


def _tuning_flags(section):
    """What the commands `zoo.tune` in the blocks of a section are given, by flag."""
    text = _section(section).replace("\\\n", " ")
    for line in re.findall(r"^python -m zoo\.tune (.+)$", text, re.MULTILINE):
        yield _flags(line)


def _flags(line):
    flags: dict[str, list[str]] = {}
    for word in shlex.split(line):
        name, _, value = word.removeprefix("--").partition("=")
        flags.setdefault(name, []).append(value)
    return flags


def _planned(flags, folder):
    """What a command `zoo.tune` trains."""
    methods = flags.get("methods", [",".join(METHODS)])[0].split(",")
    return candidates_of(
        recipes_of(methods, ["ResNet20"], *flags.get("dataset", ["digits"])),
        grid_of(flags["grid"]),
        seeds=[int(seed) for seed in flags.get("seeds", ["100,101"])[0].split(",")],
        workdir=folder,
        settings=settings(flags.get("set", [])),
    )


def test_scenes_are_tuned_with_what_the_table_says(tmp_path):
    rounds = []
    for flags in _tuning_flags("Scenes of digits"):
        tunings = _planned(flags, tmp_path)
        configs = [run.config for tuning in tunings for run in tuning.runs]
        (budget,) = {(one.epochs, one.warmup_epochs) for one in configs}
        rates = {one.learning_rate for one in configs}
        seeds = {one.seed for one in configs}
        rounds += [(*budget, rate, seeds) for rate in sorted(rates)]
        assert {one.method for one in configs} == set(METHODS)
    rows = re.findall(
        r"^\| (\d+), (none|\d+), ([\d.]+), ([\d and]+) \|",
        _section("Scenes of digits"),
        re.MULTILINE,
    )
    told = [
        (
            int(epochs),
            0 if warm_up == "none" else int(warm_up),
            float(rate),
            set(map(int, seeds.split(" and "))),
        )
        for epochs, warm_up, rate, seeds in rows
    ]
    assert len(rounds) == 8
    assert all(one in told for one in rounds)


def test_digits_are_tuned_alike(tmp_path):
    (flags,) = _tuning_flags("The same budget for every method")
    candidates = [
        [
            # what is left of a method is its restriction
            dataclasses.replace(run.config, method="float", restriction={})
            for run in tuning.runs
        ]
        for tuning in _planned(flags, tmp_path)
    ]
    assert len(candidates[0]) == 20
    assert all(one == candidates[0] for one in candidates)


def test_one_change_at_a_time(tmp_path):
    (first,) = _tuning_flags("The same budget for every method")
    rows = re.findall(r"^\|.*\| `(.*--grid.*)` \|$", _section("Digits"), re.MULTILINE)
    assert len(rows) == 5
    for row in map(_flags, rows):
        named = {text.partition("=")[0] for texts in row.values() for text in texts}
        others = [text for text in first["set"] if text.partition("=")[0] not in named]
        tunings = _planned({**row, "set": [*others, *row.get("set", [])]}, tmp_path)
        assert [len(tuning.candidates) for tuning in tunings] == [1] * len(METHODS)


def test_pictures_exist_and_are_small():
    for folder, page in ((ROOT, README), (ROOT / "docs", RESULTS)):
        pictures = re.findall(r"!\[.+?\]\((.+?)\)", page)
        assert pictures
        for picture in pictures:
            assert (folder / picture).stat().st_size < 100_000
