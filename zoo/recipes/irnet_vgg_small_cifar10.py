"""IR-Net's VGG-Small on CIFAR-10, W1A1.

300 epochs at a low learning rate; initial batch normalisation scales are 1, which the
authors set here and nowhere else.

T_min is 0.1 in paper and code.

    python -m zoo.train --recipe=irnet_vgg_small_cifar10 --workdir=...

The paper reports 90.4 % (best epoch on the test images, one GTX 1080 Ti); this project
has not run it to its end.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="irnet_vgg_small_cifar10",
    config=TrainConfig(
        network="VGGSmall",
        method="irnet",
        estimator={"t_min": 0.1, "t_max": 10.0},
        dataset="cifar10",
        statistics="imagenet",
        epochs=300,
        batch_size=128,
        optimizer="sgd",
        learning_rate=0.007,
        momentum=0.9,
        weight_decay=1e-4,
        alignment="torch",
    ),
    published_accuracy=0.904,
    reference="https://arxiv.org/abs/1909.10788",
)
