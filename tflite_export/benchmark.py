"""Measures .tflite files side by side on this machine.

`python -m tflite_export.benchmark --models=a.tflite,b.tflite --threads=1`. Each model
runs with both kernels of Larq Compute Engine if it has binary convolutions, else with
XNNPACK, in turns.
"""

from pathlib import Path

import rich.console
import rich.table
from absl import flags

from tflite_export.benchmarking import Candidate, Latency, measure_latency
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.interpreting import KERNELS, explain_run
from zoo.command_line import run_command

FLAGS = flags.FLAGS

flags.DEFINE_list("models", None, ".tflite files, separated by commas.")
flags.DEFINE_integer("threads", 1, "Threads of the interpreter.", lower_bound=1)
flags.DEFINE_integer("rounds", 10, "Turns that each model has.", lower_bound=1)
flags.DEFINE_integer("runs", 10, "Runs in each turn.", lower_bound=1)
flags.mark_flags_as_required(["models"])


def _candidates(path: str) -> dict[str, Candidate]:
    content = Path(path).read_bytes()
    try:
        operators = {operator.name for operator in Flatbuffer(content).operators}
        failure = explain_run(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if failure is not None:
        raise ValueError(f"{path}: {failure}")
    if "LceBconv2d" not in operators:
        return {f"{path}, XNNPACK": Candidate(content, {"use_xnnpack": True})}
    return {
        f"{path}, LCE {kernel} kernel": Candidate(content, options)
        for kernel, options in KERNELS.items()
    }


def _table(latencies: list[Latency]) -> rich.table.Table:
    table = rich.table.Table(title="One image on this machine")
    table.add_column("model", overflow="fold")
    for column in ("median ms", "fastest ms", "bytes"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in latencies:
        table.add_row(
            one.name,
            f"{one.median_ms:.3f}",
            f"{one.fastest_ms:.3f}",
            f"{one.model_bytes:,}",
        )
    return table


def main() -> None:
    candidates: dict[str, Candidate] = {}
    for path in filter(None, FLAGS.models):
        candidates |= _candidates(path)
    latencies = measure_latency(
        candidates,
        rounds=FLAGS.rounds,
        runs_per_round=FLAGS.runs,
        threads=FLAGS.threads,
    )
    rich.console.Console().print(_table(latencies))


def run() -> None:
    """Entry point of `irnet-benchmark`."""
    run_command(main)


if __name__ == "__main__":
    run()
