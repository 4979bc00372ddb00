"""Trains one run of a pool in a process of its own; see `zoo.run_pool`.

Reads a `RunRequest` as one line of JSON from standard input, which stays open as long
as the pool lives: when the pool is gone, however it ended, the worker ends as well.
"""

import dataclasses
import json
import os
import sys
import threading
from typing import TextIO

import tensorflow as tf

from zoo import training
from zoo.stop_on_non_finite_loss import TrainingDiverged
from zoo.train_config import TrainConfig

__all__ = ["RunRequest", "main"]

_ORPHANED = 3  # exit code that nobody is left to read


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What a worker is to do.

    # Attributes
        config: The settings, by `TrainConfig.to_json`.
        folder: The folder of the run.
        data_dir: Where tensorflow-datasets keeps its data; `None` for its default.
        threads: Threads that one operation is spread over; 0 lets TensorFlow choose.
    """

    config: str
    folder: str
    data_dir: str | None
    threads: int

    def to_line(self) -> str:
        """The request as one line of JSON."""
        return json.dumps(dataclasses.asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> "RunRequest":
        """Reads what `to_line` wrote."""
        return cls(**json.loads(line))


def _leave_when_it_closes(stream: TextIO) -> None:
    # not by way of the stream: it would stay locked, which Python cannot end with
    while os.read(stream.fileno(), 1):
        pass
    os._exit(_ORPHANED)  # a run can be killed at any moment and goes on from there


def main() -> None:
    """Trains what standard input asks for; expected errors end in one line."""
    request = RunRequest.from_line(sys.stdin.readline())
    threading.Thread(
        target=_leave_when_it_closes, args=[sys.stdin], daemon=True
    ).start()
    tf.config.threading.set_intra_op_parallelism_threads(request.threads)
    try:
        training.run(
            TrainConfig.from_json(request.config),
            request.folder,
            data_dir=request.data_dir,
            progress="none",
        )
    except (ValueError, OSError, ImportError, TrainingDiverged) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
