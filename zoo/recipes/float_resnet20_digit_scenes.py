"""Full precision on scenes of digits: what binarization is measured against.

The published network for 32x32 pixels, trained from scratch with Adam and two epochs of
warm-up, in as many epochs and steps for every method, at the learning rate that was the
best on the validation images, the same one for all of them (docs/results.md).

With ReLU, and otherwise the settings of the binary recipes on scenes.

    python -m zoo.train --recipe=float_resnet20_digit_scenes --workdir=runs/example
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="float_resnet20_digit_scenes",
    config=TrainConfig(
        network="ResNet20",
        method="float",
        dataset="digit_scenes",
        epochs=16,
        batch_size=32,
        optimizer="adam",
        learning_rate=0.01,
        learning_rate_schedule="warmup_cosine",
        warmup_epochs=2,
    ),
    test_accuracy=0.9619,
    reference="",
)
