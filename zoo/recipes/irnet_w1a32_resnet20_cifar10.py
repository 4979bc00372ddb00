"""IR-Net's ResNet-20 on CIFAR-10 with binary weights and real activations, W1A32.

Normal blocks with ReLU, none after the first normalisation, one in front of the
classifier.

T_min is the paper's 0.1, as in the authors' release of 2020; that of 2019 has 0.001
here and 0.1 for W1A1, the other way round than in 2020.

    python -m zoo.train --recipe=irnet_w1a32_resnet20_cifar10 --workdir=...

The paper reports 90.8 % (best epoch on the test images, one GTX 1080 Ti); this project
has not run it to its end.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="irnet_w1a32_resnet20_cifar10",
    config=TrainConfig(
        network="ResNet20",
        network_options={"block": "normal", "bn_gamma": "uniform"},
        method="irnet_w1a32",
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
    published_accuracy=0.908,
    reference="https://arxiv.org/abs/1909.10788",
)
