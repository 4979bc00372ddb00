r"""ReCU's ResNet-18 in the manner of ReActNet on ImageNet, first of two stages: W32A1.

Activations are binary and weights are not. What comes out are the initial weights of
`recu_reactnet18_imagenet`, which needs this run finished, in the folder below.

The authors do not tell how they made theirs. This is ReActNet's first stage (Adam, 256
epochs of 512 images, logits of a ResNet-34 in place of labels) with the learning rates
and images of ReCU's second: warm-up over five epochs, cosine decay per epoch, parts of
8 to 125 % of the area, no changes of colour. ReActNet's weight decay of 1e-5 in this
stage is left out.

The teacher is torchvision's ResNet-34. Its weights, `resnet34-b627a593.pth` from
https://download.pytorch.org/models, have to lie in `runs`, or
`--set=teacher_weights=...` tells where they are. They are read with PyTorch:
`pip install 'larq-irnet[torch]'`.

    python -m zoo.train --recipe=recu_reactnet18_stage1_imagenet --workdir=... \
        --data_dir=... --strategy=mirrored

with the workdir `runs/recu_reactnet18_stage1_imagenet`. There is no published accuracy;
this project has not run it to its end.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="recu_reactnet18_stage1_imagenet",
    config=TrainConfig(
        network="ReActNet18",
        method="recu",
        binary_weights=False,
        teacher={"network": "ResNet34", "block": "normal", "head_norm": False},
        teacher_weights="runs/resnet34-b627a593.pth",
        dataset="imagenet2012",
        statistics="imagenet",
        augmentation={"scale": (0.08, 1.25), "jitter": None},
        epochs=256,
        batch_size=512,
        optimizer="adam",
        learning_rate=1e-3,
        learning_rate_schedule="warmup_cosine",
        warmup_epochs=5.0,
        alignment="torch",
    ),
    reference="https://arxiv.org/abs/2003.03488",
)
