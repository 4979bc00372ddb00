"""DIR-Net in half a MobileNetV1 on scikit-learn's digits, with Adam.

DIR-Net's settings for this network are not public. These were chosen on the validation
images: the learning rate out of three with a quarter of the channels, out of two with
half of them, and half of the channels out of these two. 8x8 images are 1x1 from the
sixth unit on.

    python -m zoo.train --recipe=dirnet_mobilenet_v1_digits --workdir=runs/example

takes a few minutes on two CPU cores. `python -m zoo.compare --threads=0
--recipes=dirnet_mobilenet_v1_digits` printed the accuracy of `RECIPE`, the mean of
three seeds.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="dirnet_mobilenet_v1_digits",
    config=TrainConfig(
        network="MobileNetV1",
        network_options={"alpha": 0.5, "stem_strides": 1},
        method="dirnet",
        dataset="digits",
        epochs=40,
        batch_size=32,
        optimizer="adam",
        learning_rate=0.01,
    ),
    test_accuracy=0.9175,
    reference="https://arxiv.org/abs/2109.12338",
)
