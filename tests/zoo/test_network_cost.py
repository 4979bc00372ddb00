"""Costs of the published networks, and of small ones counted by hand."""

import larq as lq
import pytest
import tensorflow as tf

import larq_irnet as irnet
import zoo
from zoo.network_cost import NetworkCost, layer_costs, network_cost

# Binary weights, others, millions of binary and of other multiplications, megabytes:
# counted in the authors' PyTorch networks
AUTHORS = [
    (("ResNet20", "irnet", {}), 267_264, 2_586, 40.11, 0.44, 0.044),
    (("CifarResNet18", "irnet", {}), 10_985_472, 189_514, 547.36, 8.07, 2.131),
    (("VGGSmall", "irnet", {}), 4_571_136, 88_970, 603.98, 3.62, 0.927),
    # 2,000 parameters less than in the authors' files, which nothing uses: 8 kB
    (("ResNet18", "irnet", {}), 10_985_472, 705_064, 1676.28, 137.79, 4.193),
    (("ResNet34", "irnet", {}), 21_086_208, 712_488, 3525.97, 137.79, 5.486),
    (("ResNet20", "recu", {}), 267_264, 3_258, 40.11, 0.44, 0.046),
    (("CifarResNet18", "recu", {}), 10_985_472, 19_530, 547.36, 1.77, 1.451),
    (("VGGSmall", "recu", {}), 4_571_136, 90_634, 603.98, 3.62, 0.934),
    (("ResNet18", "recu", {}), 10_985_472, 708_904, 1676.28, 137.79, 4.209),
    (("ResNet34", "recu", {}), 21_086_208, 720_040, 3525.97, 137.79, 5.516),
    (("ReActNet18", "recu", {}), 10_985_472, 722_792, 1676.28, 137.79, 4.264),
    (("ResNet20", "ir2net", {}), 267_264, 5_194, 40.11, 0.60, 0.054),
    (("CifarResNet18", "ir2net", {}), 10_985_472, 221_624, 547.36, 8.56, 2.260),
    (("VGGSmall", "ir2net", {}), 4_571_136, 104_698, 603.98, 3.86, 0.990),
    (
        ("IR2Net18", "ir2net", {"recovery": "A"}),
        *(10_985_472, 1_234_792, 1676.28, 163.48, 6.312),
    ),
    (
        ("IR2Net18", "ir2net", {"recovery": "B"}),
        *(10_985_472, 974_952, 1676.28, 150.75, 5.273),
    ),
    (
        ("IR2Net18", "ir2net", {"recovery": "C"}),
        *(10_985_472, 896_872, 1676.28, 146.93, 4.961),
    ),
    (
        ("IR2Net18", "ir2net", {"recovery": "D"}),
        *(10_985_472, 741_598, 1676.28, 139.32, 4.340),
    ),
]


# Binary and other weights and millions of multiplications; the papers of the first two
# count 569 and 390 millions in full precision
COMPACT = [
    ("MobileNetV1", 3_139_584, 1_092_392, 539.49, 29.25),
    ("EfficientNetB0", 3_146_112, 2_142_436, 338.54, 47.28),
    ("DARTS", 3_150_576, 198_766, 487.05, 41.31),
]


@pytest.mark.parametrize("name, binary, others, binary_macs, float_macs", COMPACT)
def test_compact_networks(name, binary, others, binary_macs, float_macs):
    cost = network_cost(zoo.models.get(name)("ste_sign"))
    assert (cost.binary_weights, cost.other_parameters) == (binary, others)
    assert round(cost.binary_macs / 1e6, 2) == binary_macs
    assert round(cost.float_macs / 1e6, 2) == float_macs


@pytest.mark.parametrize(
    "network, binary, others, binary_macs, float_macs, size",
    AUTHORS,
    ids=["-".join([*row[0][:2], *row[0][2].values()]) for row in AUTHORS],
)
def test_published_networks(network, binary, others, binary_macs, float_macs, size):
    name, method, options = network
    cost = network_cost(zoo.models.get(name)(method, **options))
    assert (cost.binary_weights, cost.other_parameters) == (binary, others)
    assert cost.parameters == binary + others
    assert round(cost.binary_macs / 1e6, 2) == binary_macs
    assert round(cost.float_macs / 1e6, 2) == float_macs
    assert round(cost.bytes / 1e6, 3) == size


# published figures of OPs, in millions
@pytest.mark.parametrize(
    "fusion, operations", [("A", 189.68), ("B", 176.94), ("C", 173.12), ("D", 165.51)]
)
def test_operations(fusion, operations):
    cost = network_cost(zoo.IR2Net18("ir2net", recovery=fusion))
    assert round(cost.operations / 1e6, 2) == operations


def test_fusions_alone():
    costs = {
        fusion: layer_costs(zoo.IR2Net18("ir2net", recovery=fusion))["fusion"]
        for fusion in "AD"
    }
    assert costs["A"].float_macs == 1024 * 512 * 49
    assert costs["D"].float_macs == (1024 * 26 + 9 * 494) * 49
    ratio = costs["A"].float_macs / costs["D"].float_macs
    assert ratio == pytest.approx(16.9, abs=0.05)


def counted(layer, shape=(8, 6, 4)):
    model = tf.keras.Sequential([tf.keras.Input(shape), layer])
    return network_cost(model)


LAYERS = tf.keras.layers


@pytest.mark.parametrize(
    "layer, expected",
    [
        (LAYERS.Conv2D(5, 3), {"float_macs": 6 * 4 * 9 * 4 * 5, "parameters": 185}),
        (
            LAYERS.Conv2D(4, 3, strides=2, padding="same", groups=2, use_bias=False),
            {"float_macs": 4 * 3 * 9 * 2 * 4, "parameters": 72},
        ),
        (
            LAYERS.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False),
            {"float_macs": 6 * 4 * 9 * 8, "parameters": 72},
        ),
        (LAYERS.Dense(3), {"float_macs": 8 * 6 * 4 * 3, "parameters": 15}),
        (LAYERS.BatchNormalization(), {"float_macs": 0, "parameters": 8}),
        (LAYERS.PReLU(shared_axes=[1, 2]), {"float_macs": 0, "parameters": 4}),
        (irnet.layers.ChannelScale(), {"float_macs": 0, "parameters": 4}),
        (irnet.layers.LearnableBias(), {"float_macs": 0, "parameters": 4}),
        (LAYERS.MaxPooling2D(), {"float_macs": 0, "parameters": 0}),
        (
            irnet.layers.QuantConv2D(5, 3, quantizer="irnet"),
            {
                "binary_macs": 6 * 4 * 9 * 4 * 5,
                "float_macs": 0,
                "binary_weights": 180,
                "other_parameters": 5,
            },
        ),
        (
            irnet.layers.QuantConv2D(5, 3, quantizer="irnet_w1a32", use_bias=False),
            {"binary_macs": 0, "float_macs": 6 * 4 * 9 * 4 * 5, "binary_weights": 180},
        ),
        (
            lq.layers.QuantConv2D(5, 3, input_quantizer="ste_sign", use_bias=False),
            {"binary_macs": 0, "float_macs": 6 * 4 * 9 * 4 * 5, "binary_weights": 0},
        ),
        (
            irnet.layers.QuantConv2D(5, 3, quantizer="float"),
            {"binary_macs": 0, "binary_weights": 0, "parameters": 185},
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_layers(layer, expected):
    cost = counted(layer)
    assert {name: getattr(cost, name) for name in expected} == expected


def test_a_conv1d():
    cost = counted(LAYERS.Conv1D(5, 3, use_bias=False), shape=(8, 4))
    assert cost.float_macs == cost.parameters * 6 == 6 * 3 * 4 * 5


def test_nested_models():
    inner = tf.keras.Sequential([tf.keras.Input((8, 6, 4)), LAYERS.Conv2D(5, 3)])
    images = tf.keras.Input((8, 6, 4))
    outer = tf.keras.Model(images, inner(LAYERS.Conv2D(4, 1)(images)))
    assert network_cost(outer) == network_cost(inner) + counted(LAYERS.Conv2D(4, 1))


def test_sums():
    one = NetworkCost(float_macs=1, binary_macs=64, binary_weights=8)
    other = NetworkCost(float_macs=2, other_parameters=3)
    both = one + other
    assert both.operations == 4.0
    assert (both.parameters, both.bytes) == (11, 13.0)


@pytest.mark.parametrize(
    "layer", [LAYERS.Conv2DTranspose(2, 3), LAYERS.LocallyConnected2D(2, 3)]
)
def test_what_cannot_be_counted(layer):
    message = f"multiplications can be counted, got '{layer.name}'"
    with pytest.raises(ValueError, match=message):
        counted(layer)


def test_unknown_sizes():
    model = tf.keras.Sequential([tf.keras.Input((None, None, 3)), LAYERS.Conv2D(2, 3)])
    with pytest.raises(ValueError, match=r"known size, got .* \[\(None, None, None, 3"):
        network_cost(model)
