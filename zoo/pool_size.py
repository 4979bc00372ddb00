"""How many runs this machine can train at once."""

import os

import tensorflow as tf

__all__ = ["default_parallel"]

_GIGABYTES_PER_RUN = 1.5  # a ResNet-20 on small images peaks at 0.9
_BYTES_PER_GIGABYTE = 1e9


def _free_gigabytes() -> float:
    """Memory that is free or held by caches; unlimited where it is not told."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return 1024 * int(lines["MemAvailable"].split()[0]) / _BYTES_PER_GIGABYTE
    except (OSError, KeyError, ValueError):  # not Linux
        return float("inf")


def _cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def default_parallel(threads: int) -> int:
    """The number of runs that keep the processor busy and fit into the memory.

    One, where there is a GPU or each run takes all cores.

    # Arguments
        threads: Of each run; 0 for all cores.

    # Example
        >>> default_parallel(0)
        1
    """
    if threads == 0 or tf.config.list_physical_devices("GPU"):
        return 1
    fitting = min(_cores() / threads, _free_gigabytes() / _GIGABYTES_PER_RUN)
    return max(1, int(fitting))
