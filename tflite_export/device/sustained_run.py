"""What a minute without a pause does to the speed of a device."""

from dataclasses import dataclass

from tflite_export.device.benchmark_output import read_benchmark
from tflite_export.device.facts_script import read_fields
from tflite_export.device.runs import BLOCK_MARK
from tflite_export.device.temperature import read_temperature

__all__ = ["Block", "SustainedRun", "read_sustained"]


@dataclass(frozen=True)
class Block:
    """Some seconds of it.

    # Attributes
        seconds: When it ended, from the start, by the runs that were timed.
        average_ms: Mean time of one run.
        celsius: The temperature before it; `None` if the device does not tell.
    """

    seconds: float
    average_ms: float
    celsius: float | None


@dataclass(frozen=True)
class SustainedRun:
    """A run without a pause.

    # Attributes
        model: Name of the model.
        threads: Threads of the interpreter.
        blocks: In order.
        final_celsius: The temperature at the end; `None` if the device does not tell.
    """

    model: str
    threads: int
    blocks: tuple[Block, ...]
    final_celsius: float | None

    @property
    def slowdown(self) -> float:
        """Time of one run in the last block, relative to the fastest block."""
        fastest = min(block.average_ms for block in self.blocks)
        return self.blocks[-1].average_ms / fastest if fastest else 1.0


def read_sustained(text: str, model: str, threads: int) -> SustainedRun:
    """Reads what the script of a sustained run has printed.

    # Arguments
        text: What it printed.
        model: Name of the model.
        threads: Threads of the interpreter.

    # Raises
        ValueError: if it holds no blocks, or no times in one.
    """
    _, *parts, end = text.split(f"{BLOCK_MARK}\t")
    blocks: list[Block] = []
    seconds = 0.0
    for part in parts:
        output = read_benchmark(part)
        seconds += output.average_ms * output.runs / 1e3
        celsius = read_temperature(read_fields(part))
        blocks.append(Block(seconds, output.average_ms, celsius))
    if not blocks or not end.startswith("end"):
        raise ValueError("no blocks, or not all of them")
    return SustainedRun(
        model, threads, tuple(blocks), read_temperature(read_fields(end))
    )
