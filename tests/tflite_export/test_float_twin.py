"""The float twin is the same network without quantizers."""

import pytest

from tests.tflite_export import networks
from tflite_export.float_twin import float_twin
from tflite_export.layer_walk import all_layers, is_binary

BUILDERS = [networks.residual_network, networks.nested_network]


@pytest.mark.parametrize("build", BUILDERS)
def test_the_float_twin_has_no_quantizers(build):
    model = build()
    twin = float_twin(model)
    assert not any(is_binary(layer) for layer in all_layers(twin))
    assert any(is_binary(layer) for layer in all_layers(model))
    assert twin.count_params() == model.count_params()
    assert twin.output_shape == model.output_shape
