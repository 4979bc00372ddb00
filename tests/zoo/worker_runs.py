"""One of two workers: `python -m tests.zoo.worker_runs FOLDER`, with TF_CONFIG.

Three runs in one process, to start TensorFlow once: a whole one, one on folders that
the workers do not share, and one in which the second worker is killed.
"""

import larq_irnet  # noqa: F401  # isort: skip  # asks for legacy Keras

import json
import os
import signal
import sys
from pathlib import Path

from absl.testing import flagsaver

from tests.zoo.train_small import use_small_network
from zoo.stop_on_non_finite_loss import StopOnNonFiniteLoss

FLAGS = (
    "--recipe=irnet_resnet20_digits_sgd",
    "--precision=float64",
    "--synchronized_batch_norm",
    "--epochs=3",
    "--progress=epochs",
)


def command(folder):
    from zoo import train  # defines flags, which the tests must not have

    print(f"== {folder.name}", flush=True)
    print(f"== {folder.name}", file=sys.stderr, flush=True)
    sys.argv = ["train", *FLAGS, "--strategy=multi_worker", f"--workdir={folder}"]
    with flagsaver.flagsaver():
        try:
            train.run()
        except SystemExit as stopped:
            return stopped.code or 0


def kill_in_the_second_epoch():
    original = StopOnNonFiniteLoss.on_train_batch_end

    def killing(callback, batch, logs=None):
        original(callback, batch, logs)
        if (callback._epoch, batch) == (1, 3):
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(StopOnNonFiniteLoss, "on_train_batch_end", killing)


if __name__ == "__main__":
    use_small_network()
    folder = Path(sys.argv[1])
    index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    assert command(folder / "whole") == 0
    assert command(folder / f"apart{index}") == 1
    if index == 1:
        kill_in_the_second_epoch()
    sys.exit(command(folder / "lost"))
