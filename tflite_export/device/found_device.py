"""The device that is measured: looked for and asked before any work begins."""

from dataclasses import dataclass

from tflite_export.device.adb import AdbConnection
from tflite_export.device.benchmark_binary import BenchmarkBinary
from tflite_export.device.connection import Connection
from tflite_export.device.device_check import check_device, check_space
from tflite_export.device.device_facts import DeviceFacts, read_facts
from tflite_export.device.facts_script import facts_script
from tflite_export.device.job import Job
from tflite_export.device.ssh import SshConnection

__all__ = ["FoundDevice", "find_device"]


@dataclass(frozen=True)
class FoundDevice:
    """A device that answers and can run the benchmark.

    # Attributes
        connection: The way to it.
        parent: Folder of it to work in.
        facts: What it tells of itself.
        doubts: What makes its numbers doubtful, in sentences.
    """

    connection: Connection
    parent: str
    facts: DeviceFacts
    doubts: tuple[str, ...]

    def facts_now(self, *, timeout: float) -> DeviceFacts:
        """What it tells of itself now.

        # Raises
            DeviceError: if it cannot be reached any more.
        """
        return _ask(self.connection, self.parent, self.facts.system, timeout)


def find_device(job: Job, binary: BenchmarkBinary) -> FoundDevice:
    """Finds the device and makes sure that it will do.

    # Arguments
        job: What is to be measured; models that do not exist yet are passed over.
        binary: The benchmark tool.

    # Raises
        DeviceError: if there is no such device, several, or one that will not do.
    """
    timeout = job.settings.timeout
    connection: Connection
    if job.target.kind == "android":
        connection = AdbConnection.find(job.serial, timeout=timeout)
    else:
        connection = SshConnection(job.target)
    parent = job.parent or connection.temporary_folder
    facts = _ask(connection, parent, job.target.kind, timeout)
    doubts = check_device(facts, binary)
    files = [binary.path, *(model.path for model in job.models)]
    check_space(facts, sum(file.stat().st_size for file in files if file.is_file()))
    return FoundDevice(connection, parent, facts, doubts)


def _ask(
    connection: Connection, parent: str, system: str, timeout: float
) -> DeviceFacts:
    output = connection.run(facts_script(parent), timeout=timeout)
    return read_facts(output.text, system)
