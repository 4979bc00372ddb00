"""Runs whose settings and outcome are written down: one recipe per file."""

from zoo.recipes import (
    dirnet_darts_cifar10,
    dirnet_darts_digits,
    dirnet_efficientnet_b0_cifar10,
    dirnet_efficientnet_b0_digits,
    dirnet_efficientnet_b0_imagenet,
    dirnet_mobilenet_v1_cifar10,
    dirnet_mobilenet_v1_digits,
    dirnet_mobilenet_v1_imagenet,
    dirnet_resnet20_digit_scenes,
    dirnet_resnet20_digits,
    dirnet_resnet20_digits_rbd,
    float_resnet20_digit_scenes,
    float_resnet20_digits,
    float_resnet20_digits_sgd,
    ir2net18_a_imagenet,
    ir2net18_a_stage1_imagenet,
    ir2net18_b_imagenet,
    ir2net18_b_stage1_imagenet,
    ir2net18_c_imagenet,
    ir2net18_c_stage1_imagenet,
    ir2net18_d_imagenet,
    ir2net18_d_stage1_imagenet,
    ir2net_resnet18_cifar10,
    ir2net_resnet20_cifar10,
    ir2net_resnet20_digit_scenes,
    ir2net_resnet20_digits,
    ir2net_vgg_small_cifar10,
    irnet_resnet18_cifar10,
    irnet_resnet18_imagenet,
    irnet_resnet20_cifar10,
    irnet_resnet20_digit_scenes,
    irnet_resnet20_digits,
    irnet_resnet20_digits_sgd,
    irnet_resnet20_normal_cifar10,
    irnet_resnet34_imagenet,
    irnet_vgg_small_cifar10,
    irnet_w1a32_resnet18_imagenet,
    irnet_w1a32_resnet20_cifar10,
    irnet_w1a32_resnet34_imagenet,
    recu_reactnet18_imagenet,
    recu_reactnet18_stage1_imagenet,
    recu_resnet18_cifar10,
    recu_resnet18_imagenet,
    recu_resnet20_cifar10,
    recu_resnet20_digit_scenes,
    recu_resnet20_digits,
    recu_resnet20_digits_sgd,
    recu_resnet34_imagenet,
    recu_vgg_small_cifar10,
    ste_sign_resnet20_digit_scenes,
    ste_sign_resnet20_digits,
    ste_sign_resnet20_digits_sgd,
)
from zoo.recipes.recipe import Recipe

__all__ = ["Recipe", "get", "names"]

_RECIPES = {
    module.RECIPE.name: module.RECIPE
    for module in (
        dirnet_darts_cifar10,
        dirnet_darts_digits,
        dirnet_efficientnet_b0_cifar10,
        dirnet_efficientnet_b0_digits,
        dirnet_efficientnet_b0_imagenet,
        dirnet_mobilenet_v1_cifar10,
        dirnet_mobilenet_v1_digits,
        dirnet_mobilenet_v1_imagenet,
        dirnet_resnet20_digit_scenes,
        dirnet_resnet20_digits,
        dirnet_resnet20_digits_rbd,
        float_resnet20_digit_scenes,
        float_resnet20_digits,
        float_resnet20_digits_sgd,
        ir2net18_a_imagenet,
        ir2net18_a_stage1_imagenet,
        ir2net18_b_imagenet,
        ir2net18_b_stage1_imagenet,
        ir2net18_c_imagenet,
        ir2net18_c_stage1_imagenet,
        ir2net18_d_imagenet,
        ir2net18_d_stage1_imagenet,
        ir2net_resnet18_cifar10,
        ir2net_resnet20_cifar10,
        ir2net_resnet20_digit_scenes,
        ir2net_resnet20_digits,
        ir2net_vgg_small_cifar10,
        irnet_resnet18_cifar10,
        irnet_resnet18_imagenet,
        irnet_resnet20_cifar10,
        irnet_resnet20_digit_scenes,
        irnet_resnet20_digits,
        irnet_resnet20_digits_sgd,
        irnet_resnet20_normal_cifar10,
        irnet_resnet34_imagenet,
        irnet_vgg_small_cifar10,
        irnet_w1a32_resnet18_imagenet,
        irnet_w1a32_resnet20_cifar10,
        irnet_w1a32_resnet34_imagenet,
        recu_reactnet18_imagenet,
        recu_reactnet18_stage1_imagenet,
        recu_resnet18_cifar10,
        recu_resnet18_imagenet,
        recu_resnet20_cifar10,
        recu_resnet20_digit_scenes,
        recu_resnet20_digits,
        recu_resnet20_digits_sgd,
        recu_resnet34_imagenet,
        recu_vgg_small_cifar10,
        ste_sign_resnet20_digit_scenes,
        ste_sign_resnet20_digits,
        ste_sign_resnet20_digits_sgd,
    )
}


def names() -> list[str]:
    """The names of all recipes, sorted."""
    return sorted(_RECIPES)


def get(name: str) -> Recipe:
    """Looks a recipe up.

    # Raises
        ValueError: if there is no such recipe.

    # Example
        >>> get("irnet_resnet20_digits").config.method
        'irnet'
    """
    if name not in _RECIPES:
        raise ValueError(f"Expected a recipe out of {names()}, got {name!r}.")
    return _RECIPES[name]
