"""How many numbers a file of weights holds, all of them in it.

Whoever reads an array makes room for what its header claims. HDF5 files may claim much
and hold nothing, compress it to nothing, or lead to other files.
"""

import math
from pathlib import Path
from typing import Any

import h5py
import tensorflow as tf

from tflite_export.model_file_error import ModelFileError

__all__ = ["check_inflation", "elements_of_checkpoint", "elements_of_hdf5"]

_MOST_INFLATION = 100  # of what is compressed; weights hardly compress at all
_FREE_BYTES = 2**20


def check_inflation(claimed: int, stored: int, *, most: int = _MOST_INFLATION) -> None:
    """Makes sure that a file does not claim to hold much more than it can.

    # Arguments
        claimed: Bytes.
        stored: Bytes that there are.
        most: How much more may be claimed, for compression.

    # Raises
        ModelFileError: if it does.
    """
    if claimed > most * stored + _FREE_BYTES:
        raise ModelFileError(
            f"it claims to hold {claimed:,} bytes in {stored:,} bytes."
        )


def elements_of_hdf5(file: h5py.File, file_bytes: int) -> int:
    """Elements of all arrays in an HDF5 file.

    # Arguments
        file: The open file.
        file_bytes: Its size.

    # Raises
        ModelFileError: if some are elsewhere, or there cannot be so many.
    """
    links: list[tuple[str, Any]] = []
    file.visititems_links(lambda name, link: links.append((name, link)))
    datasets = []
    for name, link in links:
        if not isinstance(link, h5py.HardLink):
            raise ModelFileError(f"its entry {name!r} leads elsewhere.")
        entry = file[name]
        if isinstance(entry, h5py.Dataset):
            if entry.external or entry.is_virtual:
                raise ModelFileError(f"its entry {name!r} keeps its numbers elsewhere.")
            datasets.append((entry.size or 0, entry.dtype.itemsize))
    check_inflation(sum(size * item for size, item in datasets), file_bytes)
    return sum(size for size, _ in datasets)


def elements_of_checkpoint(prefix: Path) -> int:
    """Elements of all variables in a checkpoint.

    # Arguments
        prefix: What the names of its files begin with.

    # Raises
        ModelFileError: if there cannot be so many.
    """
    reader = tf.train.load_checkpoint(str(prefix))
    types = reader.get_variable_to_dtype_map()
    elements = {
        name: math.prod(shape)
        for name, shape in reader.get_variable_to_shape_map().items()
    }
    files = prefix.parent.glob(f"{prefix.name}.data-*")
    check_inflation(
        sum(count * types[name].size for name, count in elements.items()),
        sum(file.stat().st_size for file in files),
        most=1,
    )
    return sum(elements.values())
