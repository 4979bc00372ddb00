"""IR-Net's ResNet-20 with normal blocks on CIFAR-10, W1A1.

As `irnet_resnet20_cifar10`, with one shortcut for two convolutions. The authors
published the accuracy but no file of this network; blocks are those of their ResNet-18.

T_min is the paper's 0.1.

    python -m zoo.train --recipe=irnet_resnet20_normal_cifar10 --workdir=...

The paper reports 85.4 % (best epoch on the test images, one GTX 1080 Ti); this project
has not run it to its end.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="irnet_resnet20_normal_cifar10",
    config=TrainConfig(
        network="ResNet20",
        network_options={"block": "normal", "bn_gamma": "uniform"},
        method="irnet",
        estimator={"t_min": 0.1, "t_max": 10.0},
        dataset="cifar10",
        statistics="imagenet",
        epochs=400,
        batch_size=128,
        optimizer="sgd",
        learning_rate=0.1,
        momentum=0.9,
        weight_decay=1e-4,
        alignment="torch",
    ),
    published_accuracy=0.854,
    reference="https://arxiv.org/abs/1909.10788",
)
