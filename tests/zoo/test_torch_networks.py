"""The reference networks have the entries and parameters of the authors' files."""

import pytest

from tests.zoo.torch_networks import CifarResNet18, ImageNetResNet, ResNet20, VGGSmall


@pytest.mark.parametrize(
    "network, entries, parameters",
    [
        (lambda: ResNet20(), 121, 269_850),
        (lambda: ResNet20(block="normal", is_weight_only=True), 121, 269_850),
        (lambda: CifarResNet18(), 127, 11_174_986),
        (lambda: CifarResNet18(release=2019), 122, 11_174_986 - 2 * 512),
        (lambda: VGGSmall(), 38, 4_660_106),
        (lambda: ImageNetResNet(), 132, 11_692_536),
        (lambda: ImageNetResNet((3, 4, 6, 3)), 228, 21_800_696),
    ],
)
def test_sizes(network, entries, parameters):
    network = network()
    assert len(network.state_dict()) == entries
    assert sum(weight.numel() for weight in network.parameters()) == parameters
