"""Trains a recipe: `python -m zoo.train --recipe=irnet_resnet20_digits --workdir=...`.

Interrupted, the same command goes on from the last finished epoch.
"""

import logging

from absl import flags

from zoo import distribution, recipes, training
from zoo.command_line import run_command, settings
from zoo.progress import PROGRESS
from zoo.setting_checks import PRECISIONS
from zoo.stop_on_non_finite_loss import TrainingDiverged

FLAGS = flags.FLAGS

flags.DEFINE_string("recipe", None, f"One of {', '.join(recipes.names())}.")
flags.DEFINE_string("workdir", None, "Folder of the run; made if there is none.")
flags.DEFINE_string("data_dir", None, "Where tensorflow-datasets keeps its data.")
flags.DEFINE_enum(
    "strategy", "none", distribution.STRATEGIES, "Which devices train together."
)
flags.DEFINE_bool("smoke", False, "Shrink the run to seconds, to see that it works.")
flags.DEFINE_multi_string(
    "set",
    [],
    "Any other setting of the recipe, such as --set=weight_decay=0 or "
    "--set=estimator.t_min=0.001; can be repeated.",
)
flags.DEFINE_integer(
    "epochs", None, "Epochs; learning rates and warm-up stretch along."
)
flags.DEFINE_integer(
    "batch_size",
    None,
    "Images per step, of all replicas together; the learning rate stays as it is.",
)
flags.DEFINE_string("optimizer", None, "adam or sgd in place of the recipe's.")
flags.DEFINE_float("learning_rate", None, "Highest learning rate of the run.")
flags.DEFINE_float("pad_values", None, "0 or 1, what binary convolutions pad with.")
flags.DEFINE_string("precision", None, f"One of {', '.join(PRECISIONS)}.")
flags.DEFINE_bool(
    "synchronized_batch_norm", None, "Share the statistics of a batch among replicas."
)
flags.DEFINE_integer("gradient_accumulation_steps", None, "Only 1: see the error text.")
flags.DEFINE_bool("jit_compile", None, "Compile the training step with XLA.")
flags.DEFINE_integer("seed", None, "Sets initial weights and order, in [0, 2^31).")
flags.DEFINE_enum("progress", "bar", PROGRESS, "What to show.")
flags.mark_flags_as_required(["recipe", "workdir"])

_OVERRIDES = (
    "epochs",
    "batch_size",
    "optimizer",
    "learning_rate",
    "pad_values",
    "precision",
    "synchronized_batch_norm",
    "gradient_accumulation_steps",
    "jit_compile",
    "seed",
)


def main() -> None:
    given = {name: FLAGS[name].value for name in _OVERRIDES}
    overrides = {name: value for name, value in given.items() if value is not None}
    config = recipes.get(FLAGS.recipe).config
    config = config.with_settings({**overrides, **settings(FLAGS.set)})
    if FLAGS.smoke:
        config = config.shrunk()
    logging.getLogger("zoo").setLevel(logging.INFO)
    results = training.run(
        config,
        FLAGS.workdir,
        data_dir=FLAGS.data_dir,
        strategy=FLAGS.strategy,
        progress=FLAGS.progress,
    )
    accuracies = ", ".join(
        f"{split} {results[split]['accuracy']:.2%}"
        for split in ("validation", "test")
        if split in results
    )
    print(f"{FLAGS.recipe}: {accuracies}, in {FLAGS.workdir}")


def run() -> None:
    """Entry point of `irnet-train`."""
    run_command(main, errors=[TrainingDiverged, distribution.WorkerLost])


if __name__ == "__main__":
    run()
