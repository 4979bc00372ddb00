"""Full precision on digits, with plain SGD.

Network and settings are those of `irnet_resnet20_digits_sgd`, with ReLU.
Run it: `python -m zoo.train --recipe=float_resnet20_digits_sgd --workdir=runs/float_resnet20_digits_sgd`
Time: about a minute on two CPU cores. Accuracy: `RECIPE.test_accuracy`, mean of three
seeds, printed by `python -m zoo.compare --recipes=float_resnet20_digits_sgd --seeds=3`.
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
    reference="",
)
