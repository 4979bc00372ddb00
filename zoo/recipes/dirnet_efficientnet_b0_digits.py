"""DIR-Net in a shallow EfficientNet-B0 on scikit-learn's digits, with Adam.

DIR-Net's settings for this network are not public. It has half of the blocks, rounded
up; all of the channels were better on the validation images than half of them, and
this learning rate better than two others. Expect little: the binary network does not
fit the training images, which it does with half of the channels in full precision.
Seven of its ten blocks have no shortcut, and each convolution that expands sees no
more than the signs of a narrow bottleneck.

    python -m zoo.train --recipe=dirnet_efficientnet_b0_digits --workdir=runs/example

takes a few minutes on two CPU cores. `python -m zoo.compare --threads=0
--recipes=dirnet_efficientnet_b0_digits` printed the accuracy of `RECIPE`, the mean of
three seeds.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="dirnet_efficientnet_b0_digits",
    config=TrainConfig(
        network="EfficientNetB0",
        network_options={"depth": 0.5, "stem_strides": 1},
        method="dirnet",
        dataset="digits",
        epochs=40,
        batch_size=32,
        optimizer="adam",
        learning_rate=0.01,
    ),
    test_accuracy=0.7217,
    reference="https://arxiv.org/abs/2109.12338",
)
