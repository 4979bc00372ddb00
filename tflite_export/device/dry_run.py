"""What a measurement would do, command by command, without doing it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tflite_export.device.adb import LIST_DEVICES, AdbConnection
from tflite_export.device.connection import Connection
from tflite_export.device.facts_script import facts_script
from tflite_export.device.job import Job
from tflite_export.device.remote_folder import make_script, new_folder, remove_script
from tflite_export.device.ssh import SshConnection

__all__ = ["dry_run"]


def dry_run(job: Job) -> Iterator[list[str]]:
    """Every command that `measure` would run, in order; none is.

    What only the device can tell is assumed: that it has as many cores as threads are
    asked for, and the serial number where none was given.

    # Arguments
        job: What, where, how. Models that do not exist yet are taken to have the
            inputs of the others.

    # Raises
        ValueError: if no model exists, or one is no .tflite.
    """
    connection: Connection
    if job.target.kind == "android":
        yield list(LIST_DEVICES)
        connection = AdbConnection(job.serial or "SERIAL")
    else:
        connection = SshConnection(job.target)
    parent = job.parent or connection.temporary_folder
    folder, local = new_folder(parent), Path(tempfile.gettempdir())
    existing = [model for model in job.models if model.path.is_file()]
    known = {model: model.read() for model in existing or job.models}
    flatbuffers = {
        model: known.get(model, next(iter(known.values()))) for model in job.models
    }
    runs = job.runs(flatbuffers, cpus=job.settings.max_threads, folder=folder)
    facts = connection.script_command(facts_script(parent))
    yield facts
    yield connection.script_command(make_script(folder))
    files = [local / name for name in job.file_names(flatbuffers)]
    yield connection.push_command(files, folder)
    yield connection.script_command(job.permission_script(folder))
    checks = [run for run in runs if run.purpose == "check"]
    for run in checks:
        yield connection.script_command(run.script)
    if checks:
        yield connection.pull_command(job.outputs(folder), local)
    for run in runs[len(checks) :]:
        yield connection.script_command(run.script)
    yield connection.script_command(remove_script(folder))
    yield facts
