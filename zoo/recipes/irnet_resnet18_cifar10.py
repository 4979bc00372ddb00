"""IR-Net's ResNet-18 on CIFAR-10, W1A1.

The network is that of the authors' release of 2020. Only their release of 2019 has a
trainer for it: SGD settings, a weight decay of 1e-5 and CIFAR's own channel statistics
are from there. That release's network, with an activation after the first normalisation
and none in front of the classifier, is `network_options={"release": 2019}`.

T_min is 0.1 in paper and trainer.

    python -m zoo.train --recipe=irnet_resnet18_cifar10 --workdir=...

The paper reports 91.5 % (best epoch on the test images, one GTX 1080 Ti); this project
has not run it to its end.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="irnet_resnet18_cifar10",
    config=TrainConfig(
        network="CifarResNet18",
        network_options={"bn_gamma": "uniform"},
        method="irnet",
        estimator={"t_min": 0.1, "t_max": 10.0},
        dataset="cifar10",
        statistics="cifar10",
        epochs=400,
        batch_size=128,
        optimizer="sgd",
        learning_rate=0.1,
        momentum=0.9,
        weight_decay=1e-5,
        alignment="torch",
    ),
    published_accuracy=0.915,
    reference="https://arxiv.org/abs/1909.10788",
)
