"""What was measured on a machine for a comparison, kept in its folder."""

import dataclasses
import hashlib
import json
import platform
from collections.abc import Mapping
from pathlib import Path

from larq_irnet.atomic_path import atomic_path
from zoo.run_pool import PooledRun
from zoo.workdir_error import WorkdirError, writing

__all__ = ["Deployed", "Measured", "machine", "run_identity"]


def _processor() -> str:
    """The name of the processor, where the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = (line.partition(":")[2] for line in file if "model name" in line)
            return next(names, "").strip() or platform.machine()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()


def run_identity(run: PooledRun) -> str:
    """Tells a finished run from one of other settings or weights."""
    digest = hashlib.sha256(run.config.to_json().encode())
    digest.update(run.workdir.model_digest().encode())
    return digest.hexdigest()


def machine() -> str:
    """The machine in a few words: its name, processor and system."""
    return f"{platform.node()}, {_processor()}, {platform.system()}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deployed:
    """An exported network on this machine.

    # Attributes
        tflite_bytes: Size of the .tflite.
        latency_ms: Median time of one image on one thread, in milliseconds, with the
            faster kernels.
        kernel: Which ones these are.
    """

    tflite_bytes: int
    latency_ms: float
    kernel: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured for the recipes of a comparison, by their names.

    # Attributes
        machine: Where.
        train_step_ms: Median time of a training step, in milliseconds.
        binary_mac_share: Share of the multiply-accumulates that are binary, in [0, 1].
        deployed: The exported networks; none without larq-compute-engine.
        not_exported: Why others could not be exported.
        runs: Which runs were measured, by `run_identity`.
    """

    machine: str
    train_step_ms: Mapping[str, float]
    binary_mac_share: Mapping[str, float]
    deployed: Mapping[str, Deployed] = dataclasses.field(default_factory=dict)
    not_exported: Mapping[str, str] = dataclasses.field(default_factory=dict)
    runs: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def covers(self, runs: Mapping[str, str], *, exported: bool) -> bool:
        """Whether nothing is missing, and nothing is of other runs.

        # Arguments
            runs: Of the recipes, by `run_identity`.
            exported: Whether they are to be exported as well.
        """
        there = {**self.deployed, **self.not_exported}
        return all(
            name in self.train_step_ms
            and (name in there or not exported)
            and self.runs.get(name) == identity
            for name, identity in runs.items()
        )

    def write(self, path: Path) -> None:
        """Writes the figures as JSON.

        # Raises
            WorkdirError: if they cannot be written.
        """
        with writing(path), atomic_path(path) as partial:
            partial.write_text(json.dumps(dataclasses.asdict(self), indent=2))

    @classmethod
    def read(cls, path: Path) -> "Measured | None":
        """Reads what `write` wrote; `None` if there is no file.

        # Raises
            WorkdirError: if it holds something else.
        """
        if not path.exists():
            return None
        try:
            fields = json.loads(path.read_text())
            deployed = {
                name: Deployed(**one) for name, one in fields.pop("deployed").items()
            }
            return cls(deployed=deployed, **fields)
        except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
            raise WorkdirError(
                f"Expected the measurements of a comparison in {path}, got something "
                f"else ({error!r}). Remove the file to measure again."
            ) from error
