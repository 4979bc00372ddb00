"""Full precision on digits: what binarization is measured against.

The network of the other recipes on digits, with ReLU.
Learning rate and initial scale of normalisations were chosen on the validation images
out of five rates and two scales, then one more change out of five, as many as for every
method (`docs/results.md`).

    python -m zoo.train --recipe=float_resnet20_digits --workdir=runs/example

takes about a minute on two CPU cores. `python -m zoo.compare --seeds=3` printed the
accuracy of `RECIPE`, the mean of three seeds.
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
        batch_size=32,
        optimizer="adam",
        learning_rate=0.03,
        pad_values=1.0,
    ),
    test_accuracy=0.9908,
    reference="",
)
