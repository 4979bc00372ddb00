"""Recipes by method, network and data set."""

from collections.abc import Iterable

from larq_irnet import methods
from zoo import datasets, recipes

__all__ = ["METHODS", "recipes_of"]

METHODS = ("float", "ste_sign", "irnet", "recu", "ir2net", "dirnet")
"""The methods that are compared by default: each of a paper, and two baselines."""


def _squashed(network: str) -> str:
    """`MobileNetV1` is `mobilenet_v1` in the name of a recipe."""
    return network.lower().replace("_", "")


def _there(method: str, dataset: str) -> dict[str, str]:
    """The recipes of a method on a data set, by squashed names of their networks."""
    before, after = f"{method}_", f"_{dataset}"
    return {
        _squashed(name.removeprefix(before).removesuffix(after)): name
        for name in recipes.names()
        if name.startswith(before)
        and name.endswith(after)
        and recipes.get(name).config.method == method
    }


def recipes_of(
    method_names: Iterable[str], networks: Iterable[str], dataset: str
) -> list[str]:
    """The recipes `<method>_<network>_<dataset>` of all combinations.

    # Arguments
        method_names: Out of `larq_irnet.methods.names()`.
        networks: Such as "ResNet20", or as names of recipes have it, "resnet20".
        dataset: One of `zoo.datasets.names()`.

    # Raises
        ValueError: if there is no such method or data set, or a combination has no
            recipe.

    # Example
        >>> recipes_of(["float", "irnet"], ["ResNet20"], "digits")
        ['float_resnet20_digits', 'irnet_resnet20_digits']
    """
    datasets.get(dataset)
    there = {
        methods.get(method).name: _there(method, dataset) for method in method_names
    }
    wanted = [(method, network) for network in networks for method in there]
    if not wanted:
        raise ValueError("Expected at least one method and one network, got none.")
    missing = [pair for pair in wanted if _squashed(pair[1]) not in there[pair[0]]]
    if missing:
        known = sorted(
            name
            for method in methods.names()
            for name in _there(method, dataset).values()
        )
        raise ValueError(
            f"Expected combinations that have a recipe on {dataset}, got "
            f"{', '.join(f'{method} with {network}' for method, network in missing)}. "
            f"There are {', '.join(known) or 'none'}; write a recipe, or change one by "
            "--recipes and --set."
        )
    return [there[method][_squashed(network)] for method, network in wanted]
