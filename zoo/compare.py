"""Compares methods: `python -m zoo.compare`.

Trains every method on every network with some seeds, several runs at once, measures
what came out in one process, and leaves a table, `comparison.json`, `comparison.csv`,
`comparison.html` and `comparison.png`. Interrupted, the same command goes on where it
was; finished, it prints the table again.

By default: all methods on digits with ResNet-20 and three seeds. `--recipes` names runs
otherwise than by method and network, instead or besides.
"""

import functools
import shlex
import sys

import tensorflow as tf
from absl import flags

from zoo import recipes
from zoo.command_line import run_command, settings, table_console
from zoo.comparison import Comparison, compare
from zoo.comparison.files import write_comparison
from zoo.comparison.table import rich_table
from zoo.pool_progress import PoolProgress
from zoo.recipes_of_methods import METHODS, recipes_of

FLAGS = flags.FLAGS

_NETWORKS = ["ResNet20"]

flags.DEFINE_list(
    "methods",
    None,
    f"Methods, separated by commas. {','.join(METHODS)} if there are no --recipes.",
)
flags.DEFINE_list(
    "networks", None, "Networks, separated by commas. ResNet20 if none is given."
)
flags.DEFINE_string("dataset", "digits", "Data set that they are compared on.")
flags.DEFINE_list("recipes", None, "Further recipes, separated by commas.")
flags.DEFINE_integer("seeds", 3, "Number of seeds for each recipe.", lower_bound=1)
flags.DEFINE_string("workdir", "runs/compare", "Folder of all runs; made if missing.")
flags.DEFINE_string("data_dir", None, "Where tensorflow-datasets keeps its data.")
flags.DEFINE_bool("smoke", False, "Shrink every run to seconds.")
flags.DEFINE_multi_string(
    "set",
    [],
    "Any other setting of all recipes, such as --set=learning_rate=0.03; can be "
    "repeated.",
)
flags.DEFINE_bool(
    "diagnostics",
    True,
    "Look at the binary layers of the networks while they train. Runs with and without "
    "cannot share a folder.",
)
flags.DEFINE_integer(
    "parallel",
    None,
    "Runs that are trained at once; by default as many as cores and memory allow, with "
    "a GPU one. The results do not depend on it.",
    lower_bound=1,
)
flags.DEFINE_integer(
    "threads",
    1,
    "Threads of each run, 0 for all cores. The results depend on it.",
    lower_bound=0,
)
flags.DEFINE_bool("remeasure", False, "Measure sizes and times again.")

_TABLE_WIDTH = 120  # also where the output is piped


def _chosen() -> list[str]:
    """The recipes that the flags ask for."""
    named = FLAGS.recipes
    if named is not None:
        named = [recipes.get(name).name for name in named if name]
        if not named:
            raise ValueError("Expected at least one recipe in --recipes, got none.")
    if named and FLAGS.methods is None and FLAGS.networks is None:
        return list(dict.fromkeys(named))
    methods = METHODS if FLAGS.methods is None else FLAGS.methods
    networks = _NETWORKS if FLAGS.networks is None else FLAGS.networks
    combined = recipes_of(methods, networks, FLAGS.dataset)
    return list(dict.fromkeys([*combined, *(named or [])]))


def _title(comparison: Comparison) -> str:
    """What is compared, in one line."""
    configs = comparison.configs.values()
    networks = ", ".join(dict.fromkeys(config.network for config in configs))
    names = ", ".join(dict.fromkeys(config.dataset for config in configs))
    seeds = "1 seed" if FLAGS.seeds == 1 else f"{FLAGS.seeds} seeds"
    smoke = ", shrunk runs" if FLAGS.smoke else ""
    return f"{networks} on {names}, {seeds}{smoke}"


def _command() -> str:
    return shlex.join(["python", "-m", "zoo.compare", *sys.argv[1:]])


def main() -> None:
    # each network is traced for itself, which TensorFlow takes for an oversight
    tf.get_logger().setLevel("ERROR")
    chosen = _chosen()
    comparison = compare(
        chosen,
        seeds=FLAGS.seeds,
        workdir=FLAGS.workdir,
        smoke=FLAGS.smoke,
        settings=settings(FLAGS.set),
        diagnostics=FLAGS.diagnostics,
        data_dir=FLAGS.data_dir,
        parallel=FLAGS.parallel,
        threads=FLAGS.threads,
        measure_again=FLAGS.remeasure,
        progress=PoolProgress(),
        report=functools.partial(print, flush=True),
    )
    if comparison.rows:
        _show(comparison)
    if comparison.failures:
        print(f"error: {_failed(comparison, len(chosen))}", file=sys.stderr)
        sys.exit(1)


def _failed(comparison: Comparison, recipes_chosen: int) -> str:
    """Which runs have failed, in one line."""
    failures = comparison.failures
    reasons = " ".join(f"{run}: {reason}" for run, reason in failures.items())
    return (
        f"{len(failures)} of {recipes_chosen * FLAGS.seeds} runs failed: {reasons} The "
        "same command tries again."
    )


def _show(comparison: Comparison) -> None:
    title = _title(comparison)
    table_console(_TABLE_WIDTH).print(rich_table(comparison.rows, title))
    if comparison.measured is not None:
        print(f"times of {comparison.measured.machine}")
        for name, reason in comparison.measured.not_exported.items():
            print(f"{name} was not exported: {reason}")
    files = write_comparison(
        comparison, FLAGS.workdir, title=title, about={"command": _command()}
    )
    print(f"written: {', '.join(map(str, files))}")


def run() -> None:
    """Entry point of `irnet-compare`."""
    run_command(main)


if __name__ == "__main__":
    run()
