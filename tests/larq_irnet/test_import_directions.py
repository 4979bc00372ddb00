"""Arrows between packages only point down; read from the syntax trees."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# The modules of tflite_export with an absl command line, and what reads runs for them.
COMMAND_LINES = {
    "benchmark.py",
    "deploy.py",
    "deployed_run.py",
    "export.py",
    "training_records.py",
}


# It compares what was trained and what was exported, and builds on both.
COMPARISON = "zoo/comparison"
ABOVE_THE_EXPORT = {"deployment", "page", "plots"}


def imported_modules(path, root=REPOSITORY, only_at_the_top=False):
    """The dotted names that a file imports, anywhere in it, relative ones resolved.

    `from a import b` gives both a and a.b, because b may be a module.
    """
    package = path.relative_to(root).parts[:-1]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if only_at_the_top else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *filter(None, [node.module])])
            yield module
            yield from (f"{module}.{alias.name}".lstrip(".") for alias in node.names)


def imports_of(path, packages, root=REPOSITORY, only_at_the_top=False):
    """Which of `packages`, dotted names, a file imports anything of."""
    names = list(imported_modules(path, root, only_at_the_top))
    return {p for p in packages if any(f"{n}.".startswith(f"{p}.") for n in names)}


def _files(folder):
    return sorted((REPOSITORY / folder).rglob("*.py"))


def _is_of(folder, file):
    return file.is_relative_to(REPOSITORY / folder)


def _offenders(files, packages):
    found = {str(f.relative_to(REPOSITORY)): imports_of(f, packages) for f in files}
    return {file: names for file, names in found.items() if names}


def _subpackages_of_larq_irnet():
    folders = (REPOSITORY / "larq_irnet").iterdir()
    return {f"larq_irnet.{f.name}" for f in folders if (f / "__init__.py").exists()}


def test_larq_irnet_imports_nothing_of_ours():
    assert _offenders(_files("larq_irnet"), {"zoo", "tflite_export", "tests"}) == {}


def test_zoo_never_imports_tflite_export():
    files = [file for file in _files("zoo") if not _is_of(COMPARISON, file)]
    assert _offenders(files, {"tflite_export", "tests"}) == {}


def test_only_the_command_line_of_the_comparison_imports_it():
    files = [file for file in _files("zoo") if not _is_of(COMPARISON, file)]
    others = [file for file in files if file.name != "compare.py"]
    assert _offenders(others, {"zoo.comparison"}) == {}


def test_the_comparison_trains_without_tflite_export():
    # what is above is loaded by functions alone
    files = [REPOSITORY / "zoo" / "compare.py", *_files(COMPARISON)]
    above = {f"{COMPARISON.replace('/', '.')}.{name}" for name in ABOVE_THE_EXPORT}
    importing = {
        file.stem
        for file in files
        if file.stem not in ABOVE_THE_EXPORT
        and imports_of(file, {"tflite_export", *above}, only_at_the_top=True)
    }
    assert importing == set()
    exported = {file.stem for file in files if imports_of(file, {"tflite_export"})}
    assert exported == {*ABOVE_THE_EXPORT, "measuring"}


def test_only_command_lines_of_tflite_export_import_zoo():
    files = [f for f in _files("tflite_export") if f.name not in COMMAND_LINES]
    assert _offenders(files, {"zoo", "tests"}) == {}


@pytest.mark.parametrize("package", ["quantizers", "constraints"])
def test_quantizers_and_constraints_import_no_sibling(package):
    siblings = _subpackages_of_larq_irnet() - {f"larq_irnet.{package}"}
    assert {"larq_irnet.callbacks", "larq_irnet.layers"} <= siblings
    assert _offenders(_files(f"larq_irnet/{package}"), siblings) == {}


def test_the_walk_reads_the_sources():
    (libra_pb,) = [f for f in _files("larq_irnet") if f.name == "libra_pb.py"]
    assert "larq_irnet.quantizers.ede" in set(imported_modules(libra_pb))


@pytest.mark.parametrize(
    "statement",
    [
        "import zoo",
        "import zoo.models.resnet20 as r",
        "from zoo import models",
        "def f():\n    from zoo.models import resnet20",
        "try:\n    import zoo\nexcept ImportError:\n    zoo = None",
        "from .. import zoo",
        "from ..zoo import models",
    ],
)
def test_every_form_of_import_is_seen(statement, tmp_path):
    file = tmp_path / "package" / "module.py"
    file.parent.mkdir()
    file.write_text(statement)
    assert imports_of(file, {"zoo", "models"}, tmp_path) == {"zoo"}


@pytest.mark.parametrize(
    "statement", ["import zookeeper", "from a import zoo", "from .zoo import a", "zoo"]
)
def test_other_names_are_not_mistaken(statement, tmp_path):
    file = tmp_path / "package" / "module.py"
    file.parent.mkdir()
    file.write_text(statement)
    assert imports_of(file, {"zoo"}, tmp_path) == set()
