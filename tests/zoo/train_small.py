"""`python -m zoo.train` with the small network: `python -m tests.zoo.train_small ...`.

Evaluates on batches that no two workers can share equally.
"""

import larq_irnet  # noqa: F401  # isort: skip  # asks for legacy Keras

from tests.zoo.small_network import UNEVEN_BATCH, small_network
from zoo import evaluation
from zoo.train_config import TrainConfig


def use_small_network():
    setattr(TrainConfig, "build_model", small_network)
    evaluation._BATCH_SIZE = UNEVEN_BATCH


if __name__ == "__main__":
    from zoo import train  # defines flags, which the tests must not have

    use_small_network()
    train.run()
