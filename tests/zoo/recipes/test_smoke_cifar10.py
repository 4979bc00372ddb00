"""Recipes for CIFAR-10 train, on synthetic images of the same shape."""

import pytest

from tests.zoo.recipes.smoke_runs import assert_trains, recipes_of


@pytest.mark.parametrize("name", recipes_of("cifar10"))
def test_smoke_run(name, tmp_path):
    assert_trains(name, tmp_path)
