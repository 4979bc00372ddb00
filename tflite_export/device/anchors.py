"""Published latencies to put measured ones beside."""

from dataclasses import dataclass

__all__ = ["ANCHORS", "Anchor"]

_LCE = "README of Larq Compute Engine"
_IRNET = "IR-Net, CVPR 2020"
_ZOO = "documentation of Larq Zoo, October 2020"
_DABNN = "dabnn"
_DABNN_BY_LCE = "dabnn, in the README of Larq Compute Engine"


@dataclass(frozen=True)
class Anchor:
    """One published figure; images of 224 x 224 pixels.

    # Attributes
        network: What was measured.
        precision: "binary", "float" or "2 bits".
        device: Where.
        threads: With how many threads.
        milliseconds: For one image.
        source: Who published it.
        note: What else to know.
    """

    network: str
    precision: str
    device: str
    threads: int
    milliseconds: float
    source: str
    note: str = ""


def _quicknets(
    threads: int, rows: dict[str, tuple[float, float, float]]
) -> list[Anchor]:
    return [
        Anchor(network, "binary", device, threads, milliseconds, _LCE)
        for network, times in rows.items()
        for device, milliseconds in zip(_DEVICES, times)
    ]


_DEVICES = ("Raspberry Pi 4B", "Pixel 1", "Apple M1")
_ON_PI_3 = ("Raspberry Pi 3B", 1)
_ON_PIXEL = ("Pixel 1", 1)

ANCHORS: tuple[Anchor, ...] = (
    Anchor("ResNet-18", "float", *_ON_PI_3, 1418.94, _IRNET, "46.77 MB"),
    Anchor("ResNet-18, DSQ", "2 bits", *_ON_PI_3, 551.22, _IRNET),
    Anchor(
        "ResNet-18, IR-Net",
        "binary",
        *_ON_PI_3,
        252.16,
        _IRNET,
        "4.20 MB, without shift scales",
    ),
    Anchor(
        "ResNet-18, IR-Net",
        "binary",
        *_ON_PI_3,
        261.98,
        _IRNET,
        "4.21 MB; 5.4 times faster than float, as DIR-Net's abstract claims",
    ),
    *_quicknets(
        1,
        {
            "QuickNetSmall": (27.7, 16.8, 4.0),
            "QuickNet": (45.0, 25.5, 5.8),
            "QuickNetLarge": (77.0, 44.2, 9.9),
        },
    ),
    *_quicknets(
        4,
        {
            "QuickNetSmall": (12.1, 8.9, 1.8),
            "QuickNet": (20.8, 12.6, 2.5),
            "QuickNetLarge": (31.7, 22.8, 3.9),
        },
    ),
    Anchor("Bi-Real Net 18", "binary", *_ON_PIXEL, 41.6, _LCE),
    Anchor("Bi-Real Net 18, dabnn", "binary", *_ON_PIXEL, 61.3, _DABNN_BY_LCE),
    Anchor(
        "Bi-Real Net 18, dabnn, its stem", "binary", *_ON_PIXEL, 43.2, _DABNN_BY_LCE
    ),
    Anchor("Bi-Real Net 18, dabnn", "binary", *_ON_PIXEL, 61.8, _DABNN),
    Anchor("Bi-Real Net 18, dabnn, its stem", "binary", *_ON_PIXEL, 43.3, _DABNN),
    Anchor("BinaryResNetE18", "binary", *_ON_PIXEL, 41.8, _ZOO),
    Anchor("RealToBinaryNet", "binary", *_ON_PIXEL, 48.8, _ZOO),
    Anchor("BinaryDenseNet28", "binary", *_ON_PIXEL, 84.9, _ZOO),
    Anchor("BinaryDenseNet37", "binary", *_ON_PIXEL, 97.1, _ZOO),
    Anchor("BinaryDenseNet37 dilated", "binary", *_ON_PIXEL, 174.9, _ZOO),
    Anchor("BinaryDenseNet45", "binary", *_ON_PIXEL, 129.3, _ZOO),
    Anchor("MeliusNet22", "binary", *_ON_PIXEL, 110.7, _ZOO),
    Anchor("BinaryAlexNet", "binary", *_ON_PIXEL, 44.4, _ZOO),
    Anchor("XNOR-Net", "binary", *_ON_PIXEL, 29.3, _ZOO),
)
"""Networks of ImageNet. What they were measured with differs, as the sources do."""
