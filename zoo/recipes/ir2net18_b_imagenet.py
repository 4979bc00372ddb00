r"""IR2Net's ResNet-18 with fusion B on ImageNet, second of two stages: W1A1.

Fusion B makes two channels for each of its 1x1 convolution's. All else is as in
`ir2net18_a_imagenet`; it starts from the weights of `ir2net18_b_stage1_imagenet`.

    python -m zoo.train --recipe=ir2net18_b_imagenet --workdir=... \
        --data_dir=... --strategy=mirrored

The authors report 67.0 / 87.1 % top-1 / top-5, in their README; this project has not
run it to its end.
"""

from zoo.recipes import ir2net18_a_imagenet
from zoo.recipes.recipe import Recipe

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="ir2net18_b_imagenet",
    config=ir2net18_a_imagenet.RECIPE.config.with_settings(
        {
            "network_options.recovery": "B",
            "initial_weights": "runs/ir2net18_b_stage1_imagenet",
        }
    ),
    published_accuracy=0.67,
    reference="https://arxiv.org/abs/2210.02637",
)
