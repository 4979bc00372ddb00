"""`zoo.run_worker` with the small network: `python -m tests.zoo.small_worker`."""

import larq_irnet  # noqa: F401  # isort: skip  # asks for legacy Keras

from tests.zoo.train_small import use_small_network
from zoo import run_worker

if __name__ == "__main__":
    use_small_network()
    run_worker.main()
