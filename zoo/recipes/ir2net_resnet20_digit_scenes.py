"""IR2Net's ResNet-20 on scenes of digits.

The published network for 32x32 pixels, trained from scratch with Adam and two epochs of
warm-up, in as many epochs and steps for every method, at the learning rate that was the
best on the validation images, the same one for all of them (docs/results.md).

With the authors' layer and threshold of the restriction for CIFAR-10. Every step has a
second pass, so an epoch takes longer than those of the other methods.

    python -m zoo.train --recipe=ir2net_resnet20_digit_scenes --workdir=runs/example
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="ir2net_resnet20_digit_scenes",
    config=TrainConfig(
        network="ResNet20",
        method="ir2net",
        restriction={"layer": "stage3_block3_conv2_act", "threshold": 0.15},
        dataset="digit_scenes",
        epochs=16,
        batch_size=32,
        optimizer="adam",
        learning_rate=0.01,
        learning_rate_schedule="warmup_cosine",
        warmup_epochs=2,
    ),
    test_accuracy=0.8943,
    reference="https://arxiv.org/abs/2210.02637",
)
