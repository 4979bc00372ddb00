"""Binary quantizers with scheduled surrogate gradients, for Larq layers.

Every class is registered under an alias, so that any Larq layer takes it by name:

```python
lq.layers.QuantConv2D(64, 3, input_quantizer="ede_sign", kernel_quantizer="libra_pb")
```

A string makes a fresh quantizer for each layer; an instance given to two layers is
shared by them, `progress` included. The alias is known once `larq_irnet` is imported,
also when a saved model is loaded.
"""

from larq_irnet.quantizers.dte import DTESign, dte_constants, dte_sign
from larq_irnet.quantizers.ede import EDESign, ede_schedule, ede_sign
from larq_irnet.quantizers.imb import IMB, imb
from larq_irnet.quantizers.libra_pb import LibraPB, libra_pb
from larq_irnet.quantizers.normalized_approx_sign import (
    NormalizedApproxSign,
    normalized_approx_sign,
)
from larq_irnet.quantizers.rectified_clamp import (
    ReCU,
    laplace_quantile,
    recu_scale,
    recu_schedule,
    recu_sign,
)
from larq_irnet.quantizers.scheduled import ScheduledQuantizer

__all__ = [
    "DTESign",
    "EDESign",
    "IMB",
    "LibraPB",
    "NormalizedApproxSign",
    "ReCU",
    "ScheduledQuantizer",
    "dte_constants",
    "dte_sign",
    "ede_schedule",
    "ede_sign",
    "imb",
    "laplace_quantile",
    "libra_pb",
    "normalized_approx_sign",
    "recu_scale",
    "recu_schedule",
    "recu_sign",
]
