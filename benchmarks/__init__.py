"""Speed and size, measured side by side in one run: `make bench`."""

import larq_irnet  # noqa: F401  (makes sure of legacy Keras before TensorFlow loads)
