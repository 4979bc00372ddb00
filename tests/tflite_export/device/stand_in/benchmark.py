"""The benchmark tool: prints what the real one prints, and adds for the tiny model.

Its words and tables are those of TensorFlow Lite's `benchmark_model` of TensorFlow
2.16. The outputs are right for `tests.tflite_export.tiny_flatbuffer`.
"""

import array
import os
import sys
import time

_ROOT = os.environ["STAND_IN_DEVICE"]
with open(f"{_ROOT}/benchmark") as _file:
    _HOW = _file.read()
_FLAGS = dict(one.removeprefix("--").split("=", 1) for one in sys.argv[1:])
_OPERATORS = {
    "float_twin.tflite": [
        ("CONV_2D", 6.5, "[stem/Conv2D]:0"),
        ("CONV_2D", 21.25, "[block1/Conv2D, block1/Relu]:1"),
        ("ADD", 0.25, "[block1/add]:2"),
        ("MEAN", 0.02, "[pool/Mean]:3"),
        ("FULLY_CONNECTED", 0.015, "[StatefulPartitionedCall:0]:4"),
    ],
    "binary.tflite": [
        ("CONV_2D", 6.5, "[stem/Conv2D]:0"),
        ("LceQuantize", 0.031, "[block1/quantize]:1"),
        ("LceBconv2d", 2.125, "[block1/Conv2D]:2"),
        ("ADD", 0.25, "[block1/add]:3"),
        ("LceQuantize", 0.03, "[block2/quantize]:4"),
        ("LceBconv2d", 1.875, "[block2/Conv2D]:5"),
        ("ADD", 0.25, "[block2/add]:6"),
        ("MEAN", 0.02, "[pool/Mean]:7"),
        ("FULLY_CONNECTED", 0.015, "[StatefulPartitionedCall:0]:8"),
    ],
}
_OPERATORS["int8.tflite"] = [
    (kind, milliseconds / 1.5, name)
    for kind, milliseconds, name in _OPERATORS["binary.tflite"]
]
_CONSTANTS = (0.0, 1.0, 2.0, 3.0)


def field(text, width):
    return f"\t{text:>{width}}"


def stat(count, average):
    """In microseconds, as `Stat` prints them."""
    if count == 1:
        return f"count=1 curr={round(average)}"
    low, high = round(0.97 * average), round(1.2 * average)
    return (
        f"count={count} first={high} curr={round(average)} min={low} max={high} "
        f"avg={average:.6g} std={round(0.03 * average)}"
    )


def table(title, rows):
    print(f"============================== {title} ==============================")
    titles = ("[node type]", "[first]", "[avg ms]", "[%]", "[cdf%]", "[mem KB]")
    widths = (24, 9, 9, 8, 8, 10)
    heading = "".join(map(field, titles, widths))
    print(heading + field("[times called]", 9) + "\t[Name]")
    total, passed = sum(one[1] for one in rows), 0.0
    for kind, milliseconds, name in rows:
        passed += milliseconds
        shares = (100 * milliseconds / total, 100 * passed / total)
        cells = [field(kind, 24), field(f"{milliseconds:.3f}", 9)]
        cells += [field(f"{milliseconds:.3f}", 9)]
        cells += [field(f"{share:.3f}", 7) + "%" for share in shares]
        cells += [field("0.000", 10), field("1", 9)]
        print("".join(cells) + f"\t{name}")
    print()


def summary(rows):
    print(f"Number of nodes executed: {len(rows)}")
    line = "=============================="
    print(f"{line} Summary by node type {line}")
    titles = ("[Node type]", "[count]", "[avg ms]", "[avg %]", "[cdf %]", "[mem KB]")
    widths = (24, 9, 10, 11, 11, 10)
    print("".join(map(field, titles, widths)) + field("[times called]", 10))
    for kind in dict.fromkeys(one[0] for one in rows):
        times = [one[1] for one in rows if one[0] == kind]
        print(field(kind, 24) + field(len(times), 9) + field(f"{sum(times):.3f}", 10))
    total = 1e3 * sum(one[1] for one in rows)
    print(f"\nTimings (microseconds): {stat(50, total)}")
    print(f"Memory (bytes): count=0\n{len(rows)} nodes observed\n\n")


def profile(rows):
    print("Profiling Info for Benchmark Initialization:")
    start = [("AllocateTensors", 1.356, "AllocateTensors/0")]
    for part in (start, rows):
        table("Run Order", part)
        table("Top by Computation Time", sorted(part, key=lambda one: -one[1]))
        summary(part)
        if part is start:
            print("Operator-wise Profiling Info for Regular Benchmark Runs:")


def compute():
    """Reads the inputs and writes the outputs: x + c + c in single precision."""
    names = _FLAGS["input_layer"].split(",")
    files = dict(one.split(":") for one in _FLAGS["input_layer_value_files"].split(","))
    with open(files[names[0]], "rb") as file:
        values = array.array("f", file.read())
    assert _FLAGS["input_layer_shape"] == f"1,{len(values)}"
    for _ in range(2):
        values = array.array("f", [x + c for x, c in zip(values, _CONSTANTS)])
    if _HOW == "wrong":
        values = array.array("f", [7 - 9 * x for x in values])
    elif _HOW == "rounding":
        values = array.array("f", [x * (1 + 1e-6) for x in values])
    if _HOW != "old":  # it does not know the flag
        with open(_FLAGS["output_filepath"], "wb") as file:
            file.write(values.tobytes())


def fail_as_told():
    if _HOW == "hang":
        time.sleep(600)
    if _HOW == "stock" and _FLAGS["graph"] != "float_twin.tflite":
        print("ERROR: Encountered unresolved custom op: LceQuantize.", file=sys.stderr)
        print("See instructions: https://www.tensorflow.org/lite/guide/ops_custom")
        print("ERROR: Node number 1 (LceQuantize) failed to prepare.", file=sys.stderr)
        print("ERROR: Failed to allocate tensors!", file=sys.stderr)
        print("ERROR: Benchmarking failed.", file=sys.stderr)
        sys.exit(1)
    if _HOW == "no XNNPACK" and _FLAGS["use_xnnpack"] == "true":
        print("ERROR: Failed to apply XNNPACK delegate.", file=sys.stderr)
        sys.exit(1)
    if _HOW == "no profile" and "enable_op_profiling" in _FLAGS:
        del _FLAGS["enable_op_profiling"]
    if _HOW == "damaged":
        print("INFO: STARTING!")
        sys.exit(0)
    code, _, words = _HOW.partition(" ")
    if code.isdigit():
        print(words, file=sys.stderr)
        sys.exit(int(code))


def heated():
    """The slowdown of a run without a pause; the temperature rises with each."""
    zone = f"{_ROOT}/sys/class/thermal/thermal_zone0/temp"
    if float(_FLAGS.get("min_secs", "0")) > 0 and os.path.exists(zone):
        with open(zone) as file:
            heat = min(80000, int(file.read()) + 3000)
        with open(zone, "w") as file:
            file.write(str(heat))
        return 1 + max(0, heat - 60000) / 1e5
    return 1.0


def main():
    graph, threads = _FLAGS["graph"], int(_FLAGS["num_threads"])
    assert os.path.isfile(graph)
    print("INFO: STARTING!\nINFO: Log parameter values verbosely: [0]")
    print(f"INFO: Num threads: [{threads}]\nINFO: Graph: [{graph}]")
    print(f"INFO: Use xnnpack: [{int(_FLAGS['use_xnnpack'] == 'true')}]")
    fail_as_told()
    print(f"INFO: Loaded model {graph}")
    print("INFO: The input model file size (MB): 0.000512")
    print("INFO: Initialized session in 4.215ms.")
    if "output_filepath" in _FLAGS:
        compute()
    rows = _OPERATORS[graph]
    microseconds = 1e3 * sum(one[1] for one in rows) * heated() * 1.02
    microseconds *= (1 + 0.3 * (threads - 1)) / threads
    if _FLAGS["use_xnnpack"] == "true":
        microseconds *= 0.6 if graph == "float_twin.tflite" else 0.85
    count = max(
        int(_FLAGS["num_runs"]),
        round(float(_FLAGS.get("min_secs", "1")) * 1e6 / microseconds),
    )
    for least, runs in (int(_FLAGS["warmup_runs"]), 5), (count, count):
        print(
            f"INFO: Running benchmark for at least {least} iterations and at least 0.5 "
            "seconds but terminate if exceeding 30 seconds."
        )
        print(f"INFO: {stat(runs, microseconds)}\n")
    print(
        f"INFO: Inference timings in us: Init: 4215, First inference: "
        f"{round(1.4 * microseconds)}, Warmup (avg): {1.01 * microseconds:.6g}, "
        f"Inference (avg): {microseconds:.6g}"
    )
    print(
        "INFO: Note: as the benchmark tool itself affects memory footprint, the "
        "following is only APPROXIMATE to the actual memory footprint of the model at "
        "runtime. Take the information at your discretion."
    )
    megabytes = 12.5 if graph == "float_twin.tflite" else 3.25
    print(
        "INFO: Memory footprint delta from the start of the tool (MB): "
        f"init={megabytes} overall={megabytes + 1.5}"
    )
    if _FLAGS.get("report_peak_memory_footprint") == "true":
        print(
            "INFO: Overall peak memory footprint (MB) via periodic monitoring: "
            f"{megabytes + 6.0}"
        )
    if _FLAGS.get("enable_op_profiling") == "true":
        profile(rows)


main()
