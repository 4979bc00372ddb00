"""Full precision on digits, with plain SGD.

Settings of `irnet_resnet20_digits_sgd`, with ReLU.

    python -m zoo.train --recipe=float_resnet20_digits_sgd --workdir=runs/example

takes about a minute on two CPU cores. `python -m zoo.compare --threads=0
--recipes=float_resnet20_digits_sgd` printed the accuracy of `RECIPE`, the mean of three
seeds.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="float_resnet20_digits_sgd",
    config=TrainConfig(
        network="ResNet20",
        method="float",
        dataset="digits",
        epochs=20,
        batch_size=64,
        optimizer="sgd",
        learning_rate=0.1,
        pad_values=1.0,
    ),
    test_accuracy=0.9917,
    reference="",
)
