"""Full precision on digits: what binarization is measured against.

Network and settings are those of `irnet_resnet20_digits`, with ReLU.
Run it: `python -m zoo.train --recipe=float_resnet20_digits --workdir=runs/float_resnet20_digits`
Time: about a minute on two CPU cores. Accuracy: `RECIPE.test_accuracy`, mean of three
seeds, printed by `python -m zoo.compare --recipes=float_resnet20_digits --seeds=3`.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="float_resnet20_digits",
    config=TrainConfig(
        network="ResNet20",
        method="float",
        dataset="digits",
        epochs=40,
        batch_size=64,
        optimizer="adam",
        learning_rate=0.01,
        pad_values=1.0,
    ),
    reference="",
)
