"""Everything that is going to be run on a device, as scripts, before any of it is."""

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tflite_export.device.facts_script import HEAT_SCRIPT
from tflite_export.device.measured_models import MeasuredModel
from tflite_export.device.remote_folder import PID_FILE

__all__ = [
    "BLOCK_MARK",
    "NO_OUTPUT",
    "Run",
    "Settings",
    "input_file",
    "output_file",
    "planned_runs",
]

BLOCK_MARK = "irnet-block"
"""What stands before each block of a sustained run."""

NO_OUTPUT = "the benchmark tool wrote no outputs"
"""What a script says of a tool that does not know `--output_filepath`."""

_LONGEST_RUN = 30.0  # seconds, warm-up and timed runs each
_BLOCK_SECONDS = 5.0
_CHECK_SECONDS = 5.0  # at most, for each sample


@dataclass(frozen=True)
class Settings:
    """How to measure.

    # Attributes
        max_threads: From 1 to how many threads, as far as there are cores.
        rounds: How often each model has its turn.
        runs: Timed runs in each turn, at least; they go on for a second.
        warm_up_runs: Runs before them, at least; they go on for half a second.
        sustained_seconds: How long to run without a pause; 0 for not at all.
        samples: Images that the device computes for comparison; 0 for none.
        timeout: Seconds that a command may take beyond what it should.
    """

    max_threads: int = 4
    rounds: int = 3
    runs: int = 50
    warm_up_runs: int = 5
    sustained_seconds: float = 60.0
    samples: int = 8
    timeout: float = 120.0


@dataclass(frozen=True)
class Run:
    """One command on the device.

    # Attributes
        purpose: "check", "latency", "profile", "memory" or "sustained".
        model: Name of the model.
        threads: Threads of the interpreter.
        xnnpack: Whether XNNPACK takes over what it can.
        script: For the shell of the device.
        seconds: What it should take at most.
    """

    purpose: str
    model: str
    threads: int
    xnnpack: bool
    script: str
    seconds: float

    @property
    def is_optional(self) -> bool:
        """Whether the other runs are worth making if this one fails.

        Some phones refuse XNNPACK, and a tool may print other tables. But a model that
        does not run at all, or a tool that knows no binary ones, is no use.
        """
        return self.xnnpack or self.purpose in ("profile", "memory", "sustained")

    def __str__(self) -> str:
        threads = f"{self.threads} thread{'s' * (self.threads > 1)}"
        xnnpack = ", XNNPACK" if self.xnnpack else ""
        return f"{self.purpose} of {self.model}, {threads}{xnnpack}"


def input_file(model: MeasuredModel, sample: int | str, index: int) -> str:
    """Name of the file with one input of one sample."""
    return f"{model.file}.sample_{sample}.input_{index}"


def output_file(model: MeasuredModel, sample: int | str) -> str:
    """Name of the file with the outputs for one sample, one after the other."""
    return f"{model.file}.sample_{sample}.outputs"


class _Tool:
    """Builds the commands of the benchmark tool in a folder of the device."""

    def __init__(self, folder: str, name: str, settings: Settings):
        self._folder, self._name, self._settings = folder, name, settings

    def script(self, body: str) -> str:
        """A script in that folder; `run` notes what has to be ended if need be."""
        return (
            f"cd {shlex.quote(self._folder)} || exit 1\n"
            f'run() {{ "$@" & echo $! >{PID_FILE}; wait $!; code=$?; '
            f"rm -f {PID_FILE}; return $code; }}\n{body}"
        )

    def command(
        self, model: MeasuredModel, threads: int, *flags: str, xnnpack: bool = False
    ) -> str:
        """One start of the tool."""
        words = [
            f"./{self._name}",
            f"--graph={model.file}",
            f"--num_threads={threads}",
            f"--use_xnnpack={str(xnnpack).lower()}",
            f"--max_secs={_LONGEST_RUN:g}",
            *flags,
        ]
        return f"run {shlex.join(words)}"

    def timed(self, *flags: str) -> tuple[str, ...]:
        """Flags of a run that is timed."""
        warm_up, runs = self._settings.warm_up_runs, self._settings.runs
        return (f"--warmup_runs={warm_up}", f"--num_runs={runs}", *flags)

    def check(self, model: MeasuredModel, shapes: Sequence[Sequence[int]]) -> str:
        """Runs on given inputs, one after the other, that write their outputs."""
        names = [f"input_{index}" for index in range(len(shapes))]
        sizes = ":".join(",".join(map(str, shape)) for shape in shapes)
        command = self.command(
            model,
            1,
            "--warmup_runs=1",
            "--warmup_min_secs=0",
            "--num_runs=1",
            "--min_secs=0",
            # the tool goes by their order; names of a model may hold its separators
            f"--input_layer={','.join(names)}",
            f"--input_layer_shape={sizes}",
        )
        files = ",".join(
            f"{name}:{input_file(model, '$sample', index)}"
            for index, name in enumerate(names)
        )
        outputs = output_file(model, "$sample")
        return (
            f"sample=0\nwhile [ $sample -lt {self._settings.samples} ]; do\n"
            f'{command} "--input_layer_value_files={files}" '
            f'"--output_filepath={outputs}" || exit\n'
            f'[ -s "{outputs}" ] || {{ echo {shlex.quote(NO_OUTPUT)}; exit 1; }}\n'
            "sample=$((sample + 1))\ndone"
        )


def planned_runs(
    models: Mapping[MeasuredModel, Sequence[Sequence[int]]],
    settings: Settings,
    *,
    cpus: int,
    folder: str,
    tool: str,
) -> list[Run]:
    """All that is run on the device, in order.

    Outputs come first, because there is no use in the speed of wrong ones. Latencies
    are taken in turns, so that all models see the same state of the device. Operators
    are always profiled without XNNPACK, which would hide them.

    # Arguments
        models: What to measure, with the shapes of the inputs.
        settings: How.
        cpus: Cores of the device.
        folder: Where everything lies there.
        tool: Name of the benchmark tool there.
    """
    build = _Tool(folder, tool, settings)
    runs = []
    for model, shapes in models.items():
        if settings.samples:
            script = build.script(build.check(model, shapes))
            seconds = _CHECK_SECONDS * settings.samples
            runs.append(Run("check", model.name, 1, False, script, seconds))
    threads = range(1, max(1, min(settings.max_threads, cpus)) + 1)
    turns = [
        (model, count, xnnpack)
        for count in threads
        for xnnpack in (False, True)
        for model in models
    ]
    for model, count, xnnpack in turns * settings.rounds:
        body = build.command(model, count, *build.timed(), xnnpack=xnnpack)
        runs.append(_run("latency", model, count, build.script(body), xnnpack))
    for model in models:
        body = build.command(model, 1, *build.timed("--enable_op_profiling=true"))
        runs.append(_run("profile", model, 1, build.script(body)))
        flag = "--report_peak_memory_footprint=true"
        body = build.command(model, 1, *build.timed(flag))
        runs.append(_run("memory", model, 1, build.script(body)))
    if settings.sustained_seconds:
        runs.append(_sustained(build, _main_model(models), settings, threads[-1]))
    return runs


def _run(
    purpose: str, model: MeasuredModel, threads: int, script: str, xnnpack: bool = False
) -> Run:
    return Run(purpose, model.name, threads, xnnpack, script, 2 * _LONGEST_RUN)


def _main_model(models: Mapping[MeasuredModel, object]) -> MeasuredModel:
    return next((one for one in models if one.name == "binary"), next(iter(models)))


def _sustained(
    build: _Tool, model: MeasuredModel, settings: Settings, threads: int
) -> Run:
    """Blocks without a pause, with the temperature before each."""
    blocks = max(2, math.ceil(settings.sustained_seconds / _BLOCK_SECONDS))
    length = settings.sustained_seconds / blocks
    command = build.command(
        model,
        threads,
        "--warmup_runs=1",
        "--warmup_min_secs=0",
        "--num_runs=1",
        f"--min_secs={length:g}",
    )
    mark = f"printf '{BLOCK_MARK}\\t%s\\n'"
    body = (
        f"block=0\nwhile [ $block -lt {blocks} ]; do\n{mark} $block{HEAT_SCRIPT}"
        f"{command} || exit\nblock=$((block + 1))\ndone\n{mark} end{HEAT_SCRIPT}true"
    )
    seconds = settings.sustained_seconds + 2.0 * blocks
    script = build.script(body)
    return Run("sustained", model.name, threads, False, script, seconds)
