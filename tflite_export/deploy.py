"""Measures an exported run on a phone or an ARM board, and leaves no trace on it.

`python -m tflite_export.deploy --workdir=runs/demo/irnet --target=android`, or
`--target=ssh://pi@raspberrypi.local`. Copies the models and Larq Compute Engine's
benchmark tool, a file of its release, to the device, runs them there in turns,
compares their outputs with those of this machine, and writes device_report.json and
device_report.html into the folder of the run. With `--dry_run` it prints every command
that it would run, and runs none.

A run is measured as model.tflite beside its float twin, which is converted once and
kept as float_twin.tflite, and beside model_int8.tflite if that is there or `--int8`
makes it. `--model=net.tflite` measures any .tflite instead, and needs no run.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rich.console
import rich.table
from absl import flags

from larq_irnet import methods
from larq_irnet.atomic_path import atomic_path
from tflite_export.conversion import convert
from tflite_export.device import (
    BenchmarkBinary,
    DeviceError,
    DeviceReport,
    Job,
    MeasuredModel,
    Settings,
    Target,
    check_binary,
    dry_run,
    measure,
    parse_target,
    render_device_page,
)
from tflite_export.device.benchmark_binary import ASSETS
from tflite_export.device.interruption import interruptible
from tflite_export.device.output_check import random_samples
from tflite_export.device.remote_folder import new_folder
from tflite_export.exporting import as_converted, export
from tflite_export.findings import ExportError
from tflite_export.float_twin import float_twin
from zoo.command_line import run_command
from zoo.evaluation import dataset_of
from zoo.workdir import Workdir, WorkdirError

FLAGS = flags.FLAGS

flags.DEFINE_string("workdir", None, "Folder of a finished and exported run.")
flags.DEFINE_string("model", None, "Instead of a run: a binary .tflite.")
flags.DEFINE_string(
    "float_model", None, "Its float twin as a .tflite, in place of the run's own."
)
flags.DEFINE_string(
    "int8_model", None, "The model in int8 as a .tflite, in place of the run's own."
)
flags.DEFINE_bool("float_twin", True, "Convert the float twin of a run if need be.")
flags.DEFINE_bool("int8", False, "Export a run in int8 as well if need be.")
flags.DEFINE_string("target", None, "android, or ssh://user@host[:port].")
flags.DEFINE_string("serial", None, "Which phone, as `adb devices` lists it.")
flags.DEFINE_string(
    "benchmark_binary",
    None,
    "The benchmark tool of the release of Larq Compute Engine; by default the file of "
    "that name here, or in the folder of the run.",
)
flags.DEFINE_string("sha256", None, "The checksum that the benchmark tool must have.")
flags.DEFINE_bool(
    "unchecked_binary", False, "Run the benchmark tool without a checksum for it."
)
flags.DEFINE_integer(
    "max_threads",
    Settings.max_threads,
    "Measure with 1 to so many threads, as far as there are cores.",
    lower_bound=1,
    upper_bound=64,
)
flags.DEFINE_integer(
    "rounds", Settings.rounds, "Turns that each model has.", lower_bound=1
)
flags.DEFINE_integer("runs", Settings.runs, "Runs in each turn.", lower_bound=1)
flags.DEFINE_integer(
    "warm_up_runs", Settings.warm_up_runs, "Runs before them.", lower_bound=1
)
flags.DEFINE_float(
    "sustained_seconds",
    Settings.sustained_seconds,
    "Seconds to run without a pause, to see throttling; 0 leaves that out.",
    lower_bound=0.0,
)
flags.DEFINE_integer(
    "samples",
    Settings.samples,
    "Images whose outputs are compared, the first ones of the test split; 0 leaves "
    "that out.",
    lower_bound=0,
    upper_bound=100,
)
flags.DEFINE_bool(
    "random_images", False, "Compare on noise, where the dataset is not at hand."
)
flags.DEFINE_string("data_dir", None, "Where tensorflow-datasets keeps its data.")
flags.DEFINE_integer(
    "calibration_samples",
    200,
    "Training images to measure the ranges of --int8 on.",
    lower_bound=1,
)
flags.DEFINE_float(
    "timeout",
    Settings.timeout,
    "Seconds that a command may take beyond what it should.",
    lower_bound=1.0,
)
flags.DEFINE_string(
    "remote_folder",
    None,
    "Folder of the device to work in; by default /data/local/tmp or /tmp.",
)
flags.DEFINE_string(
    "output", None, "Folder for the report; by default that of the run or model."
)
flags.DEFINE_bool("dry_run", False, "Print every command, and run none.")
flags.mark_flags_as_mutual_exclusive(["workdir", "model"], required=True)
flags.mark_flags_as_required(["target"])
flags.register_multi_flags_validator(
    ["model", "int8"],
    lambda values: values["model"] is None or not values["int8"],
    message="--int8 goes with --workdir; give --int8_model beside --model.",
)

_FLOAT_TWIN, _INT8 = "float_twin.tflite", "model_int8.tflite"


def _models() -> list[MeasuredModel]:
    """Float twin, binary and int8, as far as they are there or can be made."""
    if FLAGS.model is not None:
        twin = FLAGS.float_model and Path(FLAGS.float_model)
        int8 = FLAGS.int8_model and Path(FLAGS.int8_model)
        binary = Path(FLAGS.model)
    else:
        workdir = Workdir(FLAGS.workdir)
        binary = _exported(workdir)
        twin, int8 = _twin_of(workdir), _int8_of(workdir)
    named = {"float twin": twin, "binary": binary, "int8": int8}
    return [MeasuredModel(name, path) for name, path in named.items() if path]


def _exported(workdir: Workdir) -> Path:
    path = workdir.path / "model.tflite"
    if not path.is_file():
        if not (workdir.path / "model.keras").is_file():
            workdir.model()  # says what is missing
        raise WorkdirError(
            f"Expected an exported run in {workdir.path}, found no {path.name}. Export "
            f"it first: `python -m tflite_export.export --workdir={workdir.path}`."
        )
    return path


def _is_kept(path: Path, workdir: Workdir) -> bool:
    """Whether a model was made of the weights that the run has now."""
    trained = workdir.path / "model.keras"
    return path.is_file() and (
        not trained.exists() or path.stat().st_mtime >= trained.stat().st_mtime
    )


def _twin_of(workdir: Workdir) -> Path | None:
    if FLAGS.float_model is not None:
        return Path(FLAGS.float_model)
    path = workdir.path / _FLOAT_TWIN
    if not FLAGS.float_twin:
        return None
    if not FLAGS.dry_run and not _is_kept(path, workdir):
        print("converting the float twin, once")
        model, _ = as_converted(workdir.model())
        content = convert(float_twin(model), converter="tflite")
        with atomic_path(path) as partial:
            partial.write_bytes(content)
    return path


def _int8_of(workdir: Workdir) -> Path | None:
    if FLAGS.int8_model is not None:
        return Path(FLAGS.int8_model)
    path = workdir.path / _INT8
    if _is_kept(path, workdir) or (FLAGS.int8 and FLAGS.dry_run):
        return path
    if not FLAGS.int8:
        return None
    print("exporting in int8, once")
    dataset = dataset_of(workdir.config(), FLAGS.data_dir)
    dataset.check_prepared()
    images, _ = dataset.arrays("train", limit=FLAGS.calibration_samples)
    export(workdir.model(), path, calibration_data=images, benchmark=False)
    return path


def _samples(models: Sequence[MeasuredModel]) -> tuple[list[np.ndarray], str]:
    """What outputs are compared for, and what that is."""
    if not FLAGS.samples:
        return [], "nothing"
    flatbuffer = models[0].read()
    if FLAGS.model is not None or FLAGS.random_images or len(flatbuffer.inputs) > 1:
        return random_samples(flatbuffer, FLAGS.samples), "random images"
    dataset = dataset_of(Workdir(FLAGS.workdir).config(), FLAGS.data_dir)
    dataset.check_prepared()
    images, _ = dataset.arrays("test", limit=FLAGS.samples)
    return [images], "test images"


def _binary_path(system: str, folder: Path) -> Path:
    if FLAGS.benchmark_binary is not None:
        return Path(FLAGS.benchmark_binary)
    beside = folder / ASSETS[system]
    return beside if beside.is_file() else Path(ASSETS[system])


def _title() -> str:
    if FLAGS.model is not None:
        return Path(FLAGS.model).name
    config = Workdir(FLAGS.workdir).config()
    method = methods.get(config.method).title
    return f"{config.network}, {method}, on {config.dataset}"


def _folder() -> Path:
    if FLAGS.output is not None:
        folder = Path(FLAGS.output)
        if not folder.is_dir():
            raise ValueError(f"Expected --output to be a folder, found none: {folder}.")
        return folder
    return Path(FLAGS.workdir) if FLAGS.model is None else Path(FLAGS.model).parent


def _settings() -> Settings:
    return Settings(
        max_threads=FLAGS.max_threads,
        rounds=FLAGS.rounds,
        runs=FLAGS.runs,
        warm_up_runs=FLAGS.warm_up_runs,
        sustained_seconds=FLAGS.sustained_seconds,
        samples=FLAGS.samples,
        timeout=FLAGS.timeout,
    )


def _table(report: DeviceReport) -> rich.table.Table:
    table = rich.table.Table(title=f"One image on {report.device.model}")
    table.add_column("model", no_wrap=True)
    for column in ("threads", "XNNPACK", "ms", "fastest ms"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in report.latencies:
        table.add_row(
            one.model,
            str(one.threads),
            "on" if one.xnnpack else "off",
            f"{one.milliseconds:.3f}",
            f"{one.fastest_ms:.3f}",
        )
    return table


def _write(report: DeviceReport, folder: Path) -> None:
    texts = {
        folder / "device_report.json": report.to_json(),
        folder / "device_report.html": render_device_page(report),
    }
    for path, text in texts.items():
        with atomic_path(path) as partial:
            partial.write_text(text, encoding="utf-8")
        print(f"report: {path}")


def _stop_if_wrong(report: DeviceReport) -> None:
    wrong = [check for check in report.checks if not check.is_right]
    if wrong:
        names = ", ".join(check.model for check in wrong)
        raise DeviceError(
            f"Expected the device to compute what this machine computes, but the "
            f"outputs of {names} differ; the report shows by how much. Take the "
            "benchmark tool of the release that the model was exported with."
        )


def _binary(target: Target, folder: Path) -> BenchmarkBinary:
    path = _binary_path(target.kind, folder)
    binary = check_binary(
        path, target, sha256=FLAGS.sha256, allow_unchecked=FLAGS.unchecked_binary
    )
    if not binary.is_checked:
        print(f"note: {path} is unchecked; its SHA-256 is {binary.sha256}")
    return binary


def _target() -> Target:
    target = parse_target(FLAGS.target)
    if FLAGS.serial is not None and target.kind != "android":
        raise ValueError("Expected --serial with --target=android only.")
    if FLAGS.remote_folder is not None:
        new_folder(FLAGS.remote_folder)  # refuses names that need guessing
    return target


def main() -> None:
    target, folder = _target(), _folder()
    binary = None if FLAGS.dry_run else _binary(target, folder)  # before conversions
    job = Job(
        title=_title(),
        models=_models(),
        target=target,
        serial=FLAGS.serial,
        settings=_settings(),
        parent=FLAGS.remote_folder,
    )
    if binary is None:
        for command in dry_run(job):
            print(shlex.join(command))
        return
    samples, kind = _samples(job.models)
    with interruptible():
        report = measure(
            job,
            binary,
            samples,
            kind_of_samples=kind,
            progress=lambda line: print(line, flush=True),
        )
    rich.console.Console().print(_table(report))
    _write(report, folder)
    _stop_if_wrong(report)


def run() -> None:
    """Entry point of `irnet-deploy`."""
    run_command(main, errors=[DeviceError, ExportError])


if __name__ == "__main__":
    run()
