"""The straight-through estimator on digits, with plain SGD: the baseline.

Network and settings are those of `irnet_resnet20_digits_sgd`.

    python -m zoo.train --recipe=ste_sign_resnet20_digits_sgd --workdir=runs/example

takes about a minute on two CPU cores. `python -m zoo.compare --threads=0
--recipes=ste_sign_resnet20_digits_sgd` printed the accuracy of `RECIPE`, the mean of
three seeds.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="ste_sign_resnet20_digits_sgd",
    config=TrainConfig(
        network="ResNet20",
        method="ste_sign",
        dataset="digits",
        epochs=20,
        batch_size=64,
        optimizer="sgd",
        learning_rate=0.1,
        pad_values=1.0,
    ),
    test_accuracy=0.7675,
    reference="https://arxiv.org/abs/1602.02830",
)
