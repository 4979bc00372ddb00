r"""IR2Net's ResNet-18 with fusion D on ImageNet, first of two stages: W32A1.

Fusion D makes twenty channels for each of its 1x1 convolution's. All else is as in
`ir2net18_a_stage1_imagenet`, but that the authors' weight decay, which goes by names,
acts on the normalisation and the PReLU of the fusion's 1x1 convolution too.

    python -m zoo.train --recipe=ir2net18_d_stage1_imagenet --workdir=... \
        --data_dir=... --strategy=mirrored

with the workdir `runs/ir2net18_d_stage1_imagenet`. There is no published accuracy; this
project has not run it to its end.
"""

from zoo.recipes import ir2net18_a_stage1_imagenet
from zoo.recipes.recipe import Recipe

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="ir2net18_d_stage1_imagenet",
    config=ir2net18_a_stage1_imagenet.RECIPE.config.with_settings(
        {
            "network_options.recovery": "D",
            "decayed_weights": (
                r"stem_conv/.*|stage\d_block\d_conv1/.*|stage\d_block1_conv/.*"
                r"|fusion/primary_.*|fusion/cheap_conv/.*"
            ),
        }
    ),
    reference="https://arxiv.org/abs/2210.02637",
)
