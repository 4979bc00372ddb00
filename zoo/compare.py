"""Compares recipes over seeds: `python -m zoo.compare --seeds=3 --workdir=runs/all`.

Interrupted, the same command goes on where it was. Prints one table at the end.
"""

import rich.console
import rich.table
from absl import flags

from zoo import recipes
from zoo.command_line import run_command, settings
from zoo.comparison import Comparison, compare
from zoo.stop_on_non_finite_loss import TrainingDiverged

FLAGS = flags.FLAGS

_AT_HAND = [  # no download, and no teacher that must be trained before
    name
    for name in recipes.names()
    if recipes.get(name).config.dataset == "digits"
    and not recipes.get(name).config.teacher_weights
]

flags.DEFINE_list("recipes", _AT_HAND, "Recipes, separated by commas.")
flags.DEFINE_integer("seeds", 3, "Number of seeds for each recipe.", lower_bound=1)
flags.DEFINE_string("workdir", None, "Folder of all runs; made if there is none.")
flags.DEFINE_string("data_dir", None, "Where tensorflow-datasets keeps its data.")
flags.DEFINE_bool("smoke", False, "Shrink every run to seconds.")
flags.DEFINE_multi_string(
    "set",
    [],
    "Any other setting of all recipes, such as --set=learning_rate=0.03; can be "
    "repeated.",
)
flags.mark_flags_as_required(["workdir"])


_TABLE_WIDTH = 100  # also where the output is piped


def _table(comparisons: list[Comparison]) -> rich.table.Table:
    table = rich.table.Table(title=f"Top-1 accuracy, mean of {FLAGS.seeds} seeds")
    table.add_column("recipe", no_wrap=True)
    for column in ("val. %", "test %", "±", "each seed"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in comparisons:
        deviation = one.test_deviation
        table.add_row(
            one.recipe,
            f"{100 * sum(one.validation) / len(one.validation):.2f}",
            f"{100 * one.test_mean:.2f}",
            "-" if deviation is None else f"{100 * deviation:.2f}",
            " ".join(f"{100 * accuracy:.2f}" for accuracy in one.test),
        )
    return table


def main() -> None:
    console = rich.console.Console()
    console.width = max(console.width, _TABLE_WIDTH)
    comparisons = []
    for comparison in compare(
        FLAGS.recipes,
        seeds=FLAGS.seeds,
        workdir=FLAGS.workdir,
        smoke=FLAGS.smoke,
        settings=settings(FLAGS.set),
        data_dir=FLAGS.data_dir,
    ):
        comparisons.append(comparison)
        console.print(f"{comparison.recipe}: {comparison.test_mean:.2%}")
    console.print(_table(comparisons))


def run() -> None:
    """Entry point of `irnet-compare`."""
    run_command(main, errors=[TrainingDiverged])


if __name__ == "__main__":
    run()
