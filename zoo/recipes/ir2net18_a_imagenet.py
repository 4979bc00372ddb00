r"""IR2Net's ResNet-18 with fusion A on ImageNet, second of two stages: W1A1.

256 epochs of Adam with cosine decay per epoch from the weights of
`ir2net18_a_stage1_imagenet`, whose header tells about the first stage and the teacher:
the logits of torchvision's ResNet-34, for whole images, in place of labels. Every step
has a second pass, of images without the pixels that the last stage does not attend to.
Fusion A is a plain 1x1 convolution of the features of stem and stages. No weight decay.

    python -m zoo.train --recipe=ir2net18_a_imagenet --workdir=... \
        --data_dir=... --strategy=mirrored

`--set=initial_weights=...` and `--set=teacher_weights=...` name other places of the
first stage and of the teacher. Empty, `--set=initial_weights=` trains without the first
stage, and `--set=teacher={} --set=teacher_weights=` with labels in place of a teacher.

The authors report 68.2 / 88.0 % top-1 / top-5, in their README; this project has not
run it to its end.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="ir2net18_a_imagenet",
    config=TrainConfig(
        network="IR2Net18",
        network_options={"recovery": "A"},
        method="ir2net",
        initial_weights="runs/ir2net18_a_stage1_imagenet",
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
        alignment="torch",
    ),
    published_accuracy=0.682,
    reference="https://arxiv.org/abs/2210.02637",
)
