"""The straight-through estimator on digits, with Adam: the baseline.

The network of `irnet_resnet20_digits`.
Learning rate and initial scale of normalisations were chosen on the validation images
out of five rates and two scales, then one more change out of five, as many as for every
method (`docs/results.md`).

    python -m zoo.train --recipe=ste_sign_resnet20_digits --workdir=runs/example

takes about a minute on two CPU cores. `python -m zoo.compare --seeds=3` printed the
accuracy of `RECIPE`, the mean of three seeds.
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
        batch_size=32,
        optimizer="adam",
        learning_rate=0.01,
        pad_values=1.0,
    ),
    test_accuracy=0.9783,
    reference="https://arxiv.org/abs/1602.02830",
)
