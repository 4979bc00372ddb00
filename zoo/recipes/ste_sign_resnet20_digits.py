"""The plain straight-through estimator on digits: the baseline of IR-Net's recipe.

Network and settings are those of `irnet_resnet20_digits`.
Run it: `python -m zoo.train --recipe=ste_sign_resnet20_digits --workdir=runs/ste_sign_resnet20_digits`
Time: about a minute on two CPU cores. Accuracy: `RECIPE.test_accuracy`, mean of three
seeds, printed by `python -m zoo.compare --recipes=ste_sign_resnet20_digits --seeds=3`.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="ste_sign_resnet20_digits",
    config=TrainConfig(
        network="ResNet20",
        method="ste_sign",
        dataset="digits",
        epochs=40,
        batch_size=64,
        optimizer="adam",
        learning_rate=0.01,
        pad_values=1.0,
    ),
    reference="https://arxiv.org/abs/1602.02830",
)
