"""The reference networks have the entries and parameters of the authors' files."""

import pytest

from tests.zoo.torch_networks import (
    DARTS,
    CifarResNet18,
    ImageNetResNet,
    IR2Conv2d,
    IR2Net18,
    IRWeightConv2d,
    PooledOptionA,
    ReActNet18,
    ReCUConv2d,
    ResNet20,
    VGGSmall,
)

IR2NET = {"conv": IR2Conv2d, "recovery": True}
POOLED_RECU = {"conv": ReCUConv2d, "shortcut": PooledOptionA}


@pytest.mark.parametrize(
    "network, entries, parameters",
    [
        (lambda: ResNet20(), 121, 269_850),
        (lambda: ResNet20(conv=IRWeightConv2d, block="normal"), 121, 269_850),
        (lambda: CifarResNet18(), 127, 11_174_986),
        (lambda: CifarResNet18(release=2019), 122, 11_174_986 - 2 * 512),
        (lambda: VGGSmall(), 38, 4_660_106),
        (lambda: ImageNetResNet(), 132, 11_692_536),
        (lambda: ImageNetResNet((3, 4, 6, 3)), 228, 21_800_696),
        (lambda: ResNet20(**POOLED_RECU), 157, 270_522),
        (lambda: CifarResNet18(**POOLED_RECU), 141, 11_005_002),
        (lambda: VGGSmall(conv=ReCUConv2d), 48, 4_661_770),
        (lambda: ImageNetResNet(conv=ReCUConv2d), 159, 11_694_376),
        (lambda: ImageNetResNet((3, 4, 6, 3), conv=ReCUConv2d), 287, 21_806_248),
        (lambda: ReActNet18(), 218, 11_708_264),
        (lambda: ResNet20(**IR2NET), 133, 272_458),
        (lambda: CifarResNet18(**IR2NET, release=2022), 139, 11_207_096),
        (lambda: VGGSmall(**IR2NET), 50, 4_675_834),
        (lambda: IR2Net18(variant="A"), 151, 12_220_264),
        (lambda: IR2Net18(variant="B"), 158, 11_960_424),
        (lambda: IR2Net18(variant="C"), 158, 11_882_344),
        (lambda: IR2Net18(variant="D"), 158, 11_727_070),
        (lambda: DARTS(), 1636, 3_349_342),
    ],
)
def test_sizes(network, entries, parameters):
    network = network()
    assert len(network.state_dict()) == entries
    assert sum(weight.numel() for weight in network.parameters()) == parameters
