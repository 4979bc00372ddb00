"""Evaluates a finished run: `python -m zoo.evaluate --workdir=runs/demo/irnet`."""

from absl import flags

from zoo import datasets, training
from zoo.command_line import run_command
from zoo.workdir import Workdir

FLAGS = flags.FLAGS

flags.DEFINE_string("workdir", None, "Folder of a finished run.")
flags.DEFINE_enum("split", "test", datasets.SPLITS, "Which images to evaluate on.")
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    workdir = Workdir(FLAGS.workdir)
    config = workdir.config()
    model = workdir.model()
    training.compile_for(model, config)
    metrics = training.evaluate(model, config, FLAGS.split)
    images = datasets.get(config.dataset).size(FLAGS.split)
    print(
        f"{config.network} {config.method} on {images} {FLAGS.split} images of "
        f"{config.dataset}: accuracy {metrics['accuracy']:.2%}, loss "
        f"{metrics['loss']:.4f}"
    )


def run() -> None:
    """Entry point of `irnet-evaluate`."""
    run_command(main)


if __name__ == "__main__":
    run()
