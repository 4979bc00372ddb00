"""larq_irnet: accurate binary neural networks on top of Larq.

Quantizers, constraints, callbacks and layers of IR-Net, ReCU, IR2Net and DIR-Net for
any Larq model, and `binarize` for any Keras model. Importing the package registers all
aliases with Keras.
"""

from larq_irnet.legacy_keras import require_legacy_keras

require_legacy_keras()

from larq_irnet import (  # noqa: E402  (Larq must not load before the check above)
    binarization,
    callbacks,
    constraints,
    diagnostics,
    distillation,
    layers,
    methods,
    quantizers,
    recovery,
    restriction,
)
from larq_irnet.binarization import binarize  # noqa: E402
from larq_irnet.version import __version__  # noqa: E402

__all__ = [
    "__version__",
    "binarization",
    "binarize",
    "callbacks",
    "constraints",
    "diagnostics",
    "distillation",
    "layers",
    "methods",
    "quantizers",
    "recovery",
    "restriction",
]
