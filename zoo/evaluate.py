"""Evaluates a finished run: `python -m zoo.evaluate --workdir=runs/demo/irnet`."""

from absl import flags

from zoo import datasets, training
from zoo.command_line import run_command
from zoo.evaluation import dataset_of
from zoo.workdir import Workdir

FLAGS = flags.FLAGS

flags.DEFINE_string("workdir", None, "Folder of a finished run.")
flags.DEFINE_enum("split", "test", datasets.SPLITS, "Which images to evaluate on.")
flags.DEFINE_string("data_dir", None, "Where tensorflow-datasets keeps its data.")
flags.mark_flags_as_required(["workdir"])


def main() -> None:
    workdir = Workdir(FLAGS.workdir)
    config = workdir.config()
    model = workdir.model()
    dataset = dataset_of(config, FLAGS.data_dir)
    dataset.check_prepared()
    training.compile_for(model, config)
    metrics = training.evaluate(model, config, FLAGS.split, data_dir=FLAGS.data_dir)
    images = dataset.size(FLAGS.split)
    top5 = (
        f", top-5 {metrics['top5_accuracy']:.2%}" if "top5_accuracy" in metrics else ""
    )
    print(
        f"{config.network} {config.method} on {images} {FLAGS.split} images of "
        f"{config.dataset}: accuracy {metrics['accuracy']:.2%}, loss "
        f"{metrics['loss']:.4f}{top5}"
    )


def run() -> None:
    """Entry point of `irnet-evaluate`."""
    run_command(main)


if __name__ == "__main__":
    run()
