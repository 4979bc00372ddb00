"""Imports a PyTorch checkpoint: what training would have left, without the training.

    python -m zoo.import_torch --checkpoint=model.th \
        --recipe=irnet_resnet20_cifar10 --workdir=runs/imported

The recipe tells the network and the dataset that the checkpoint is for. Names in a
checkpoint tell neither Bi-Real from normal blocks nor binary from real activations: a
checkpoint of the one is imported as the other without an error.
"""

import tempfile
from pathlib import Path

import tensorflow as tf
from absl import flags

from larq_irnet.quantized_scope import quantized_scope
from zoo import recipes
from zoo.command_line import run_command, settings
from zoo.torch_import import load_state_dict, read_checkpoint
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir, WorkdirError

FLAGS = flags.FLAGS

flags.DEFINE_string("checkpoint", None, "File that the authors' trainer has saved.")
flags.DEFINE_string("recipe", None, f"One of {', '.join(recipes.names())}.")
flags.DEFINE_string("workdir", None, "Folder that is made; empty if it is there.")
flags.DEFINE_multi_string(
    "set",
    [],
    "A setting in which the network differs from the recipe, such as "
    "--set=network_options.release=2019; can be repeated.",
)
flags.mark_flags_as_required(["checkpoint", "recipe", "workdir"])


def _check_is_free(workdir: Workdir) -> None:
    path = workdir.path
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise WorkdirError(
            f"Expected a new or empty folder to import into, got {path}, which holds "
            "something. Choose another workdir."
        )


def _write(
    workdir: Workdir, config: TrainConfig, model: tf.keras.Model, checkpoint: str
) -> None:
    """Makes the workdir, whole or not at all."""
    path = workdir.path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=path.parent) as folder:
        partial = Workdir(Path(folder, "workdir"))
        partial.create(config)
        partial.write_imported_from(checkpoint)
        with quantized_scope(False):
            partial.write_model(model)
        if path.exists():
            path.rmdir()  # empty; Windows replaces no folder
        partial.path.replace(path)


def main() -> None:
    workdir = Workdir(FLAGS.workdir)
    _check_is_free(workdir)
    recipe = recipes.get(FLAGS.recipe)
    config = recipe.config.with_settings({"alignment": "torch", **settings(FLAGS.set)})
    state_dict = read_checkpoint(FLAGS.checkpoint)
    model = config.build_model()
    load_state_dict(model, state_dict)
    _write(workdir, config, model, FLAGS.checkpoint)
    options = "".join(f", {k}={v}" for k, v in config.network_options.items())
    print(
        f"{FLAGS.recipe}: {model.count_params():,} numbers imported from "
        f"{FLAGS.checkpoint} into {workdir.path}, as {config.network}, {config.method}"
        f"{options}. Go on with `python -m zoo.evaluate "
        f"--workdir={workdir.path}` and `python -m tflite_export.export "
        f"--workdir={workdir.path}`."
    )


def run() -> None:
    """Entry point of `irnet-import-torch`."""
    run_command(main)


if __name__ == "__main__":
    run()
