"""Reads what TensorFlow Lite's benchmark tool prints, and Larq's, which is the same.

Its tables are tab-separated. Versions differ in their columns, so that columns are
found by their titles.
"""

import re
from dataclasses import dataclass

from tflite_export.operator_latency import OperatorLatency

__all__ = ["BenchmarkOutput", "read_benchmark", "read_operators"]

_NUMBER = r"(-?[\d.]+(?:e[+-]?\d+)?|nan|inf)"
_TIMINGS = re.compile(
    rf"Inference timings in us: Init: {_NUMBER}, First inference: {_NUMBER}, "
    rf"Warmup \(avg\): {_NUMBER}, Inference \(avg\): {_NUMBER}"
)
_RUNS = re.compile(r"^(?:\w+: )?count=(\d+)(.*)$", re.MULTILINE)
_FOOTPRINT = re.compile(
    rf"Memory footprint delta from the start of the tool \(MB\): init={_NUMBER} "
    rf"overall={_NUMBER}"
)
_PEAK = re.compile(
    rf"Overall peak memory footprint \(MB\) via periodic monitoring: {_NUMBER}"
)
_PROFILE = "Operator-wise Profiling Info for Regular Benchmark Runs:"
_RUN_ORDER = re.compile(r"=+ Run Order =+\n")
_NODE_NUMBER = re.compile(r":\d+$")


@dataclass(frozen=True)
class BenchmarkOutput:
    """One run of the tool, times in milliseconds, memory in MB.

    # Attributes
        init_ms: From the start to the first run.
        first_ms: The first run of all.
        average_ms: Mean of the timed runs.
        fastest_ms: The fastest of them.
        deviation_ms: Their standard deviation.
        runs: How many there were.
        init_mb: What the model took before the first run.
        overall_mb: What it took at the end.
        peak_mb: The most that the whole tool took, if that was asked for.
    """

    init_ms: float
    first_ms: float
    average_ms: float
    fastest_ms: float
    deviation_ms: float
    runs: int
    init_mb: float | None
    overall_mb: float | None
    peak_mb: float | None


def read_benchmark(text: str) -> BenchmarkOutput:
    """Reads times and memory.

    # Arguments
        text: All that the tool printed.

    # Raises
        ValueError: if that holds no times.
    """
    timings = _TIMINGS.search(text)
    counts = list(_RUNS.finditer(text, 0, timings.start() if timings else 0))
    if timings is None or not counts:
        raise ValueError("no line `Inference timings in us: ...`")
    init, first, _, average = (float(one) / 1e3 for one in timings.groups())
    footprint, peak = _FOOTPRINT.search(text), _PEAK.search(text)
    regular = counts[-1]
    return BenchmarkOutput(
        init_ms=init,
        first_ms=first,
        average_ms=average,
        fastest_ms=_named(regular[2], "min", average),
        deviation_ms=_named(regular[2], "std", 0.0),
        runs=int(regular[1]),
        init_mb=float(footprint[1]) if footprint else None,
        overall_mb=float(footprint[2]) if footprint else None,
        peak_mb=float(peak[1]) if peak else None,
    )


def _named(text: str, name: str, default: float) -> float:
    """A statistic in ms; runs that all took the same time are printed without."""
    found = re.search(rf" {name}={_NUMBER}", text)
    return float(found[1]) / 1e3 if found else default


def read_operators(text: str) -> list[OperatorLatency]:
    """Reads the operators of a profiled run, in the order in which they run.

    # Arguments
        text: All that the tool printed.

    # Raises
        ValueError: if it holds no such table, or a damaged one.
    """
    table = _RUN_ORDER.split(text.partition(_PROFILE)[2], maxsplit=1)
    lines = table[1].partition("\n\n")[0].splitlines() if len(table) == 2 else []
    if len(lines) < 2:
        raise ValueError(f"no table behind `{_PROFILE}`")
    titles = [title.strip("[] ") for title in _cells(lines[0])]
    try:
        columns = {name: titles.index(name) for name in ("node type", "avg ms", "Name")}
        called = titles.index("times called")
        rows = [_cells(line) for line in lines[1:]]
        return [
            OperatorLatency(
                kind=row[columns["node type"]],
                name=_without_number(row[columns["Name"]]),
                milliseconds=float(row[columns["avg ms"]]) * int(row[called]),
            )
            for row in rows
        ]
    except (ValueError, IndexError) as error:
        raise ValueError(f"a damaged table behind `{_PROFILE}`: {error}") from error


def _cells(line: str) -> list[str]:
    separator = r"\t" if "\t" in line else r"\s{2,}"
    return [cell.strip() for cell in re.split(separator, line.strip())]


def _without_number(name: str) -> str:
    """`[stem/Conv2D]:3` is `stem/Conv2D`."""
    name = _NODE_NUMBER.sub("", name)
    return name[1:-1] if name.startswith("[") and name.endswith("]") else name
