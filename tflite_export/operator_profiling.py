"""How long each operator of a model takes on this machine.

Larq Compute Engine's interpreter has no profiler. So each operator is cut out and runs
as a model of its own; what it costs to hand over its inputs and outputs is measured
with models that do nothing else, and taken off. The sum comes out a little above the
time of the whole model, in which an operator finds its inputs still in the cache.
"""

import statistics
import time
from collections.abc import Callable, Sequence

from tflite_export.flatbuffer import Flatbuffer, Tensor
from tflite_export.interpreting import make_interpreter, random_inputs
from tflite_export.operator_latency import OperatorLatency

__all__ = ["measure_operators"]

_WARM_UP_RUNS = 2


def measure_operators(
    flatbuffer: Flatbuffer,
    labels: Sequence[str],
    *,
    rounds: int = 10,
    threads: int = 1,
    **options: bool,
) -> list[OperatorLatency]:
    """Measures the operators one by one, in turns, in the order of the model.

    # Arguments
        flatbuffer: The model.
        labels: What to call each operator.
        rounds: How often each operator runs; the median counts.
        threads: Threads of the interpreter.
        options: As for `tflite_export.interpreting.make_interpreter`.

    # Raises
        RuntimeError: if the runtime rejects an operator.
    """
    if rounds < 1 or threads < 1:
        raise ValueError(
            f"Expected at least one round and thread, got {rounds} and {threads}."
        )

    def runner(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> _Run:
        return _runner(flatbuffer.part(inputs, outputs), threads, options)

    runs: list[tuple[_Run, _Run, _Run]] = []
    for operator in flatbuffer.operators:
        read = [tensor for tensor in operator.inputs if not tensor.constant_bytes]
        written = operator.outputs
        runs.append(
            (runner(read, written), runner(read, read), runner(written, written))
        )
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for seconds, (compute, pass_inputs, pass_outputs) in zip(times, runs):
            # handed over twice each, to and fro, where the operator needs it once
            handing_over = (pass_inputs() + pass_outputs()) / 2
            seconds.append(compute() - handing_over)
    return [
        OperatorLatency(
            kind=operator.name,
            name=label,
            milliseconds=1e3 * max(statistics.median(seconds), 0.0),
        )
        for operator, label, seconds in zip(flatbuffer.operators, labels, times)
    ]


_Run = Callable[[], float]


def _runner(content: bytes, threads: int, options: dict[str, bool]) -> _Run:
    """A function that runs a model once and returns the seconds it took."""
    interpreter = make_interpreter(content, threads=threads, **options).interpreter
    inputs = random_inputs(content)

    def run() -> float:
        start = time.perf_counter()
        interpreter.predict(inputs)
        return time.perf_counter() - start

    for _ in range(_WARM_UP_RUNS):
        run()
    return run
