"""The words of the benchmark tool, of the version that the release is built on and
of those before and after it.
"""

import re

import pytest

from tflite_export.device.benchmark_output import read_benchmark, read_operators
from tflite_export.device.sustained_run import read_sustained
from tflite_export.operator_latency import KindLatency, OperatorLatency, by_kind

TIMES = """\
STARTING!
Log parameter values verbosely: [0]
Min num runs: [50]
Num threads: [4]
Graph: [binary.tflite]
Loaded model binary.tflite
INFO: Initialized TensorFlow Lite runtime.
The input model file size (MB): 4.17284
Initialized session in 17.851ms.
Running benchmark for at least 5 iterations and at least 0.5 seconds but terminate if \
exceeding 30 seconds.
count=12 first=52104 curr=41017 min=41012 max=52104 avg=42041.2 std=3063

Running benchmark for at least 50 iterations and at least 1 seconds but terminate if \
exceeding 30 seconds.
count=50 first=41040 curr=41018 min=40912 max=43190 avg=41139.7 std=322

Inference timings in us: Init: 17851, First inference: 52104, Warmup (avg): 42041.2, \
Inference (avg): 41139.7
Note: as the benchmark tool itself affects memory footprint, the following is only \
APPROXIMATE to the actual memory footprint of the model at runtime. Take the \
information at your discretion.
Memory footprint delta from the start of the tool (MB): init=9.57812 overall=11.4141
Overall peak memory footprint (MB) via periodic monitoring: 17.8203
Memory status at the end of exeution:
- VmRSS              : 17 MB
"""

COLUMNS = {
    "2.5": ["[start]", "[first]", "[avg ms]", "[%]", "[cdf%]", "[mem KB]"],
    "2.16": ["[first]", "[avg ms]", "[%]", "[cdf%]", "[mem KB]"],
}
CELLS = {
    "[start]": "0.066",
    "[first]": "9.9",
    "[%]": "5.0%",
    "[cdf%]": "9.0%",
    "[mem KB]": "0.000",
}
OPERATORS = [
    ("CONV_2D", "3.754", "1", "[m/stem/Conv2D;m/stem/BiasAdd]:0"),
    ("LceQuantize", "0.250", "1", "[m/sign, m/other]:1"),
    ("LceBconv2d", "1.500", "1", "[m/conv1/Conv2D]:2"),
    ("LceBconv2d", "1.250", "2", "[m/conv2/Conv2D]:3"),
    ("ADD", "0.125", "1", "[StatefulPartitionedCall:0]:4"),
]


def table(title, rows, columns):
    titles = ["[node type]", *columns, "[times called]", "[Name]"]
    lines = ["=" * 30 + f" {title} " + "=" * 30, "\t" + "\t".join(titles)]
    for kind, milliseconds, called, name in rows:
        cells = {**CELLS, "[avg ms]": milliseconds}
        lines.append(
            "\t"
            + "\t".join([f"{kind:>24}", *(f"{cells[one]:>9}" for one in columns)])
            + f"\t{called:>9}\t{name}"
        )
    return "\n".join(lines) + "\n\n"


def profile(version="2.16", rows=OPERATORS):
    columns = COLUMNS[version]
    start = [("AllocateTensors", "1.356", "1", "AllocateTensors/0")]
    summary = "Number of nodes executed: 5\n===== Summary by node type =====\n"
    return "".join(
        (
            TIMES,
            "Profiling Info for Benchmark Initialization:\n",
            table("Run Order", start, columns),
            table("Top by Computation Time", start, columns),
            summary,
            "Operator-wise Profiling Info for Regular Benchmark Runs:\n",
            table("Run Order", rows, columns),
            table("Top by Computation Time", rows[::-1], columns),
            summary,
            "Timings (microseconds): count=50 first=9 curr=9 min=8 max=10 avg=9\n",
        )
    )


def test_times_and_memory():
    output = read_benchmark(TIMES)
    assert output.average_ms == pytest.approx(41.1397)
    assert (output.first_ms, output.init_ms) == (52.104, 17.851)
    assert (output.fastest_ms, output.deviation_ms, output.runs) == (40.912, 0.322, 50)
    assert (output.init_mb, output.overall_mb) == (9.57812, 11.4141)
    assert output.peak_mb == 17.8203


def test_what_later_versions_print_besides():
    later = TIMES.replace("std=322", "std=322 p5=40920 median=41100 p95=42000")
    later = re.sub(r"^(?=\w)", "INFO: ", later, flags=re.MULTILINE)
    assert read_benchmark(later) == read_benchmark(TIMES)


def test_numbers_with_exponents_and_runs_that_all_took_the_same_time():
    text = TIMES.replace("41139.7\nNote", "1.23457e+06\nNote")
    text = text.replace(
        "count=50 first=41040 curr=41018 min=40912 max=43190 avg=41139.7 std=322",
        "count=1 curr=1234567",
    )
    output = read_benchmark(text)
    assert output.average_ms == output.fastest_ms == 1234.57
    assert (output.runs, output.deviation_ms) == (1, 0.0)


def test_without_memory():
    text = TIMES[: TIMES.index("Note")]
    assert read_benchmark(text).peak_mb is None
    assert read_benchmark(text).init_mb is None


@pytest.mark.parametrize("end", [0, 200, TIMES.index("Inference timings")])
def test_words_that_end_too_early(end):
    with pytest.raises(ValueError, match="no line `Inference timings in us"):
        read_benchmark(TIMES[:end])


@pytest.mark.parametrize("version", COLUMNS)
def test_operators_become_those_of_the_host(version):
    operators = read_operators(profile(version))
    assert operators == [
        OperatorLatency("CONV_2D", "m/stem/Conv2D;m/stem/BiasAdd", 3.754),
        OperatorLatency("LceQuantize", "m/sign, m/other", 0.25),
        OperatorLatency("LceBconv2d", "m/conv1/Conv2D", 1.5),
        OperatorLatency("LceBconv2d", "m/conv2/Conv2D", 2.5),
        OperatorLatency("ADD", "StatefulPartitionedCall:0", 0.125),
    ]
    slowest, *_ = by_kind(operators)
    assert slowest == KindLatency("LceBconv2d", 2, 4.0, 4.0 / 8.129)


def test_a_table_whose_tabs_have_become_spaces():
    assert read_operators(profile().expandtabs(32)) == read_operators(profile())


@pytest.mark.parametrize(
    "text, words",
    [
        (TIMES, "no table behind"),
        (profile().replace("[avg ms]", "[mean]"), "a damaged table"),
        (profile().replace("1.500", "fast"), "a damaged table"),
        (profile()[: profile().rindex("LceQuantize")].split("Run Order")[0], "no tab"),
    ],
)
def test_tables_that_are_not_there(text, words):
    with pytest.raises(ValueError, match=words):
        read_operators(text)


def block(number, microseconds, heat):
    words = TIMES.replace(
        "Inference (avg): 41139.7", f"Inference (avg): {microseconds}"
    )
    return f"irnet-block\t{number}\nzone\t{heat} cpu-thermal\n{words}"


def test_a_run_without_a_pause():
    text = block(0, 40000, 45000) + block(1, 50000, 61500)
    run = read_sustained(text + "irnet-block\tend\nzone\t70000 cpu\n", "binary", 4)
    assert [one.seconds for one in run.blocks] == [2.0, 4.5]
    assert [one.celsius for one in run.blocks] == [45.0, 61.5]
    assert (run.final_celsius, run.slowdown) == (70.0, 1.25)


def test_a_run_that_broke_off():
    with pytest.raises(ValueError, match="not all of them"):
        read_sustained(block(0, 40000, 45000) + block(1, 50000, 0), "binary", 4)
