r"""IR2Net's ResNet-18 with fusion A on ImageNet, first of two stages: W32A1.

Activations are binary and weights are not. What comes out are the initial weights of
`ir2net18_a_imagenet`, which needs this run finished, in the folder below. 256 epochs of
Adam with cosine decay per epoch. The coupled weight decay of 1e-5 acts on kernels of
convolutions alone: the authors' rule goes by the names of weights and leaves
normalisations, PReLUs and the classifier out. Images are cut from 8 to 100 % of the
area, without changes of colour: the authors' lighting noise is made for values up to 1
but added to values up to 255.

The teacher is torchvision's ResNet-34. Its weights, `resnet34-b627a593.pth` from
https://download.pytorch.org/models, have to lie in `runs`, or
`--set=teacher_weights=...` tells where they are. They are read with PyTorch:
`pip install 'larq-irnet[torch]'`.

    python -m zoo.train --recipe=ir2net18_a_stage1_imagenet --workdir=... \
        --data_dir=... --strategy=mirrored

with the workdir `runs/ir2net18_a_stage1_imagenet`. There is no published accuracy; this
project has not run it to its end.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="ir2net18_a_stage1_imagenet",
    config=TrainConfig(
        network="IR2Net18",
        network_options={"recovery": "A"},
        method="ir2net",
        binary_weights=False,
        teacher={"network": "ResNet34", "block": "normal", "head_norm": False},
        teacher_weights="runs/resnet34-b627a593.pth",
        restriction={
            "layer": "stage4_block4_prelu",
            "threshold": 0.15,
            "normalize": "column",
            "statistics": "both",
        },
        dataset="imagenet2012",
        statistics="imagenet",
        augmentation={"scale": (0.08, 1.0), "jitter": None},
        epochs=256,
        batch_size=512,
        optimizer="torch_adam",
        learning_rate=1e-3,
        weight_decay=1e-5,
        decayed_weights=(
            r"stem_conv/.*|stage\d_block\d_conv1/.*|stage\d_block1_conv/.*"
            r"|fusion/primary_conv/.*"
        ),
        alignment="torch",
    ),
    reference="https://arxiv.org/abs/2210.02637",
)
