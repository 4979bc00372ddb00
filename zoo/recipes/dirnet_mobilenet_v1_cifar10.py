"""DIR-Net in MobileNetV1 on CIFAR-10, W1A1.

DIR-Net's paper has results of MobileNet, but its code is not public and how it was
trained is not known to us. The schedule is ours: it is that of IR-Net's ResNet-18 on
the same images, 400 epochs of SGD with cosine decay per epoch and a weight decay of
1e-5. The network is `zoo.MobileNetV1`, with strides of 1 in the first convolution.

    python -m zoo.train --recipe=dirnet_mobilenet_v1_cifar10 --workdir=...

No accuracy is claimed; this project has not run it to its end.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="dirnet_mobilenet_v1_cifar10",
    config=TrainConfig(
        network="MobileNetV1",
        network_options={"stem_strides": 1},
        method="dirnet",
        dataset="cifar10",
        statistics="cifar10",
        epochs=400,
        batch_size=128,
        optimizer="sgd",
        learning_rate=0.1,
        momentum=0.9,
        weight_decay=1e-5,
    ),
    reference="https://arxiv.org/abs/2109.12338",
)
