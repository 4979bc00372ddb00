"""IR-Net's ResNet-20 on scikit-learn's digits, with Adam.

Padded with ones: the last stage sees 2x2 pixels, where Larq Compute Engine computes
zero padding wrongly (see `tflite_export.lint`).
Run it: `python -m zoo.train --recipe=irnet_resnet20_digits --workdir=runs/irnet_resnet20_digits`
Time: about a minute on two CPU cores. Accuracy: `RECIPE.test_accuracy`, mean of three
seeds, printed by `python -m zoo.compare --recipes=irnet_resnet20_digits --seeds=3`.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="irnet_resnet20_digits",
    config=TrainConfig(
        network="ResNet20",
        method="irnet",
        dataset="digits",
        epochs=40,
        batch_size=64,
        optimizer="adam",
        learning_rate=0.01,
        pad_values=1.0,
    ),
    reference="https://arxiv.org/abs/1909.10788",
)
