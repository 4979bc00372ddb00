"""The command lines, as a user runs them."""

import json
import subprocess
import sys

import larq as lq
import numpy as np
import pytest
import tensorflow as tf

import zoo
import zoo.workdir
from tests.tflite_export.networks import plain_network
from tflite_export.binary_weights import binary_weights, load_binary_weights


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], capture_output=True, text=True
    )


def assert_fails_in_one_line(process, *words):
    assert process.returncode != 0
    assert "Traceback" not in process.stderr
    last = process.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert all(word in last for word in words)


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("run")
    config = zoo.recipes.get("irnet_resnet20_digits").config.shrunk()
    zoo.training.run(config, str(workdir), progress="none")
    return workdir


def test_export_leaves_model_and_reports(finished_run):
    runs = f"--workdir={finished_run}", f"--compare={finished_run}"
    # two epochs of three steps: an untrained model may flip many signs
    process = run("tflite_export.export", *runs, "--nostrict", "--nobenchmark")
    assert process.returncode == 0, process.stderr
    assert "18 of 18 binary layers are LceBconv2d" in process.stdout
    report = json.loads((finished_run / "report.json").read_text())
    assert (finished_run / "model.tflite").stat().st_size == report["model_bytes"]
    page = (finished_run / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "Latent weights of IR-Net over the epochs" in page
    assert f"Latent weights of IR-Net ({finished_run}) over the epochs" in page
    assert not list(finished_run.glob(".partial*"))
    weights = load_binary_weights(finished_run / "binary_weights.npz")
    assert len(weights) == 18
    model = zoo.workdir.Workdir(finished_run).model()
    for name, kernel in binary_weights(model).items():
        np.testing.assert_array_equal(weights[name].unpack(), kernel.unpack())

    measured = run(
        "tflite_export.benchmark",
        f"--models={finished_run / 'model.tflite'}",
        "--rounds=1",
    )
    assert measured.returncode == 0, measured.stderr
    assert "indirect" in measured.stdout


def test_export_of_imported_weights_without_their_dataset(tmp_path):
    recipe = zoo.recipes.get("irnet_resnet20_cifar10")
    config = recipe.config.with_settings({"method": "irnet_w1a32"})
    model = config.build_model()
    generator = np.random.default_rng(0)
    for layer in model.layers:  # as after a training
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.beta.assign(generator.normal(0, 0.1, layer.beta.shape))
    workdir = zoo.workdir.Workdir(tmp_path)
    workdir.create(config)
    workdir.write_imported_from("model.th")
    workdir.write_model(model)
    arguments = (f"--workdir={tmp_path}", "--random_images", "--nobenchmark")
    process = run("tflite_export.export", *arguments)
    assert process.returncode == 0, process.stderr
    assert "18 layers have binary weights and real inputs" in process.stdout
    assert "random images." in process.stdout
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "imported from model.th" in page
    assert "latent, before" not in page  # weights of layers before a training


def lint(workdir):
    before = sorted(workdir.iterdir())
    process = run("tflite_export.export", f"--workdir={workdir}", "--lint_only")
    assert "Traceback" not in process.stderr
    for column in ("severity", "layer", "reason", "remedy"):
        assert column in process.stdout
    assert sorted(workdir.iterdir()) == before
    return process.returncode, process.stdout.strip().splitlines()[-1]


def test_lint_only_of_a_run(finished_run):
    assert lint(finished_run) == (0, "error: 0, slower: 0, note: 1")


def test_lint_only_of_a_run_with_an_error(tmp_path):
    config = zoo.recipes.get("irnet_resnet20_digits").config
    inputs = tf.keras.Input((8, 8, 1))
    ternary = lq.layers.QuantConv2D(8, 3, input_quantizer="ste_tern", name="ternary")
    outputs = tf.keras.layers.GlobalAveragePooling2D()(ternary(inputs))
    workdir = zoo.workdir.Workdir(tmp_path)
    workdir.create(config)
    workdir.write_model(tf.keras.Model(inputs, outputs))
    assert lint(tmp_path) == (1, "error: 1, slower: 1, note: 0")


def test_export_of_a_missing_run(tmp_path):
    process = run("tflite_export.export", f"--workdir={tmp_path / 'none'}")
    assert_fails_in_one_line(process, "Expected a training run", "config.json")
    assert list(tmp_path.iterdir()) == []


def test_export_of_a_damaged_run(finished_run, tmp_path):
    (tmp_path / "config.json").write_text((finished_run / "config.json").read_text())
    (tmp_path / "model.keras").write_bytes(b"garbage")
    process = run("tflite_export.export", f"--workdir={tmp_path}")
    assert_fails_in_one_line(process, "model.keras")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "config.json",
        "model.keras",
    ]


def test_export_of_a_model_file(tmp_path):
    model, output = tmp_path / "net.keras", tmp_path / "net.tflite"
    plain_network().save(model)
    flags = (f"--model={model}", f"--output={output}", "--nobenchmark")
    process = run("tflite_export.export", *flags)
    assert process.returncode == 0, process.stderr
    assert "3 of 3 binary layers are LceBconv2d" in process.stdout
    assert "random images" in process.stdout
    report = json.loads((tmp_path / "net.report.json").read_text())
    assert output.stat().st_size == report["model_bytes"]
    assert "net.keras" in (tmp_path / "net.report.html").read_text(encoding="utf-8")
    assert len(load_binary_weights(tmp_path / "net.binary_weights.npz")) == 3


def test_export_of_a_damaged_model_file(tmp_path):
    model = tmp_path / "net.keras"
    model.write_bytes(b"PK\x03\x04 and nothing else")
    output = f"--output={tmp_path / 'net.tflite'}"
    process = run("tflite_export.export", f"--model={model}", output)
    assert_fails_in_one_line(process, str(model), "is damaged")
    assert [path.name for path in tmp_path.iterdir()] == ["net.keras"]


def test_a_model_file_is_not_written_over(tmp_path):
    model = tmp_path / "net.keras"
    plain_network().save(model)
    before = model.read_bytes()
    output = f"--output={tmp_path / '.' / 'net.keras'}"
    process = run("tflite_export.export", f"--model={model}", output)
    assert_fails_in_one_line(process, "another file for --output", "net.keras")
    assert model.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["net.keras"]


def test_flags_that_do_not_go_together():
    cases = {
        (): "Exactly one of",
        ("--workdir=run", "--model=net.h5", "--output=net.tflite"): "Exactly one of",
        ("--model=net.h5",): "--model and --output go together, but for --lint_only",
        ("--model=a", "--output=b", "--compare=c"): "--compare goes with --workdir",
    }
    script = (  # one process for all
        "import tflite_export.export\nfrom absl import flags\n"
        f"for arguments in {[*cases]!r}:\n"
        "    flags.FLAGS.unparse_flags()\n"
        "    for name in ('workdir', 'model', 'output', 'compare'):\n"
        "        flags.FLAGS[name].unparse()\n"
        "    try:\n"
        "        flags.FLAGS(['export', *arguments])\n"
        "    except flags.IllegalFlagValueError as error:\n"
        "        print(str(error).replace(chr(10), ' '))\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    lines = process.stdout.splitlines()
    assert len(lines) == len(cases), process.stderr
    assert all(words in line for words, line in zip(cases.values(), lines))


def test_benchmark_of_something_else(tmp_path):
    path = tmp_path / "not_a.tflite"
    path.write_text("this is not a model")
    process = run("tflite_export.benchmark", f"--models={path}")
    assert_fails_in_one_line(process, str(path), "Expected a .tflite file")


def test_benchmark_of_nothing(tmp_path):
    process = run("tflite_export.benchmark", f"--models={tmp_path / 'none.tflite'}")
    assert_fails_in_one_line(process, "none.tflite")
