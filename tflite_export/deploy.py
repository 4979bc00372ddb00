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
from pathlib import Path

import rich.console
from absl import flags

from tflite_export.deploy_summary import latencies_table
from tflite_export.deployed_files import DeployedFiles, DeployedModels
from tflite_export.deployed_run import DeployedRun
from tflite_export.deploying import (
    Deployment,
    check_report,
    deploy,
    planned_commands,
)
from tflite_export.device import DeviceError, Settings, parse_target
from tflite_export.findings import ExportError
from zoo.command_line import run_command

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


def _path(name: str) -> Path | None:
    value = FLAGS[name].value
    return None if value is None else Path(value)


def _models() -> DeployedModels:
    twin, int8 = _path("float_model"), _path("int8_model")
    if FLAGS.model is not None:
        return DeployedFiles(Path(FLAGS.model), twin, int8)
    return DeployedRun(
        Path(FLAGS.workdir),
        float_model=twin,
        int8_model=int8,
        float_twin=FLAGS.float_twin,
        int8=FLAGS.int8,
        calibration_samples=FLAGS.calibration_samples,
        random_images=FLAGS.random_images,
        data_dir=FLAGS.data_dir,
    )


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


def _deployment() -> Deployment:
    return Deployment(
        _models(),
        parse_target(FLAGS.target),
        serial=FLAGS.serial,
        settings=_settings(),
        remote_folder=FLAGS.remote_folder,
        benchmark_binary=_path("benchmark_binary"),
        sha256=FLAGS.sha256,
        output=_path("output"),
    )


def main() -> None:
    deployment = _deployment()
    if FLAGS.dry_run:
        for command in planned_commands(deployment):
            print(shlex.join(command))
        return
    report = deploy(deployment, progress=lambda line: print(line, flush=True))
    rich.console.Console().print(latencies_table(report))
    check_report(report)


def run() -> None:
    """Entry point of `irnet-deploy`."""
    run_command(main, errors=[DeviceError, ExportError])


if __name__ == "__main__":
    run()
