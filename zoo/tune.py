"""Tunes recipes on validation images: `python -m zoo.tune --grid=learning_rate=...`.

    python -m zoo.tune --methods=float,irnet --dataset=digits \\
        --grid=learning_rate=0.003,0.01,0.03 --seeds=100,101 --workdir=runs/tune

trains each recipe with each choice of the grid and each seed, prints one table for each
recipe, and writes `tuning.json` into the folder. The test split is not evaluated.
Interrupted, the same command goes on where it was; with more values or seeds it trains
what is new.
"""

from pathlib import Path

import rich.table
from absl import flags

from zoo.command_line import run_command, settings, table_console
from zoo.pool_progress import PoolProgress
from zoo.recipes_of_methods import METHODS, recipes_of
from zoo.run_pool import train_all
from zoo.tuning import (
    Candidate,
    Tuning,
    candidates_of,
    grid_of,
    tunings_in,
    write_tunings,
)

FLAGS = flags.FLAGS

_TABLE_WIDTH = 100  # also where the output is piped

flags.DEFINE_list(
    "recipes", None, "Recipes, separated by commas, in place of --methods."
)
flags.DEFINE_list(
    "methods", [*METHODS], "Methods, separated by commas, that have recipes."
)
flags.DEFINE_list("networks", ["ResNet20"], "Networks of these recipes.")
flags.DEFINE_string("dataset", "digits", "Data set of these recipes.")
flags.DEFINE_multi_string(
    "grid",
    [],
    "Values to try of a setting, such as --grid=learning_rate=0.003,0.01; repeated, "
    "every combination is tried.",
)
flags.DEFINE_list(
    "seeds",
    ["100", "101"],
    "Seeds, in [0, 2^31); others than those of a comparison afterwards.",
)
flags.DEFINE_string("workdir", None, "Folder of all runs; made if there is none.")
flags.DEFINE_string("data_dir", None, "Where tensorflow-datasets keeps its data.")
flags.DEFINE_multi_string(
    "set", [], "Any other setting, the same for all, such as --set=epochs=20."
)
flags.DEFINE_integer(
    "parallel",
    None,
    "Runs that train at once; by default as many as processor and memory allow.",
    lower_bound=1,
)
flags.DEFINE_integer(
    "threads", 1, "Threads of each run; 0 for all cores.", lower_bound=0
)
flags.DEFINE_bool("smoke", False, "Shrink every run to seconds.")
flags.DEFINE_enum("progress", "bar", ["bar", "lines", "none"], "What to show.")
flags.mark_flags_as_required(["workdir"])


def _names() -> list[str]:
    if FLAGS.recipes is not None:
        return list(FLAGS.recipes)
    return recipes_of(FLAGS.methods, FLAGS.networks, FLAGS.dataset)


def _seeds() -> list[int]:
    try:
        return [int(seed) for seed in FLAGS.seeds]
    except ValueError:
        raise ValueError(
            f"Expected --seeds to be whole numbers, got {FLAGS.seeds}."
        ) from None


def _row(candidate: Candidate) -> list[str]:
    if not candidate.is_complete:
        return ["-", "-", "failed", "-"]
    accuracies = candidate.validation()
    losses = candidate.validation("loss")
    deviation = candidate.deviation
    return [
        f"{100 * sum(accuracies) / len(accuracies):.2f}",
        "-" if deviation is None else f"{100 * deviation:.2f}",
        " ".join(f"{100 * accuracy:.2f}" for accuracy in accuracies),
        f"{sum(losses) / len(losses):.4f}",
    ]


def _table(tuning: Tuning) -> rich.table.Table:
    table = rich.table.Table(title=f"{tuning.recipe}, validation; * is the best")
    table.add_column("", no_wrap=True)
    table.add_column("settings")
    for column in ("mean %", "±", "each seed", "loss"):
        table.add_column(column, justify="right")
    best = tuning.best
    for one in tuning.candidates:
        table.add_row("*" if one is best else "", one.label, *_row(one))
    return table


def main() -> None:
    grid, seeds, others = grid_of(FLAGS.grid), _seeds(), settings(FLAGS.set)
    tunings = candidates_of(
        _names(),
        grid,
        seeds=seeds,
        workdir=FLAGS.workdir,
        settings=others,
        smoke=FLAGS.smoke,
    )
    path = Path(FLAGS.workdir) / "tuning.json"
    tunings_in(path)  # now: something else there is reported before anything trains
    failures = train_all(
        [run for tuning in tunings for run in tuning.runs],
        parallel=FLAGS.parallel,
        threads=FLAGS.threads,
        data_dir=FLAGS.data_dir,
        progress=PoolProgress(FLAGS.progress),
    )
    console = table_console(_TABLE_WIDTH)
    for tuning in tunings:
        console.print(_table(tuning))
    about = {"grid": grid, "settings": others, "seeds": seeds}
    write_tunings(path, tunings, **about, failures=failures)
    print(f"written to {path}")
    if failures:
        name, reason = next(iter(failures.items()))
        raise ValueError(
            f"{len(failures)} of the runs failed and were not chosen from, first "
            f"{name}: {reason}"
        )


def run() -> None:
    """Entry point of `irnet-tune`."""
    run_command(main)


if __name__ == "__main__":
    run()
