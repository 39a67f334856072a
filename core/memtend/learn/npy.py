"""Arrays as numpy's own files, read without trusting what they say of themselves.

The header is compared with what numpy writes instead of being evaluated, and no memory is set aside
before the size that it claims is the size that is there.
"""

from __future__ import annotations

import io
import math
import re
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memtend.errors import ModelRefused

_MAGIC: Final = b"\x93NUMPY\x01\x00"
_PLAIN: Final = rb"'(?:\|b1|\|[iu]1|<[iu][248]|<f[48])'"
_SIZES: Final = rb"|\d{1,12},|\d{1,12}(?:, \d{1,12}){1,3}"
_HEADER: Final = re.compile(
    rb"\{'descr': (%b|\[[^\]]{1,600}\]), 'fortran_order': (False|True), 'shape': \((%b)\), \} *\n"
    % (_PLAIN, _SIZES)
)


def array_bytes(array: NDArray[Any]) -> bytes:
    """As a file of numpy, in C order."""
    out = io.BytesIO()
    np.save(out, np.asarray(array, order="C"), allow_pickle=False)
    return out.getvalue()


def read_array(
    name: str, data: bytes, *, record: np.dtype[Any] | None = None, columns_first: bool = False
) -> NDArray[Any]:
    """Numbers or truth values, and of records only those of one known kind. Raises `ModelRefused`.

    `columns_first` lets Fortran order pass. The array cannot be written to.
    """
    length = int.from_bytes(data[8:10], "little")
    start = 10 + length
    found = _HEADER.fullmatch(data, 10, start) if data.startswith(_MAGIC) else None
    if found is None or len(data) < start:
        raise ModelRefused(name=name, why="it is no plain array of numbers")
    descr = found[1].decode()
    if descr.startswith("'"):
        dtype: np.dtype[Any] = np.dtype(descr.strip("'"))
    elif record is not None and descr == repr(record.descr):
        dtype = record
    else:
        raise ModelRefused(name=name, why="its elements are of a kind that is not taken")
    shape = tuple(int(size) for size in found[3].decode().replace(",", " ").split())
    in_columns = found[2] == b"True"
    if in_columns and not columns_first:
        raise ModelRefused(name=name, why="its elements are in an order that is not taken")
    if math.prod(shape) * dtype.itemsize != len(data) - start:
        raise ModelRefused(name=name, why="its size is not what it says")
    if not math.prod(shape):
        return np.empty(shape, dtype=dtype)
    flat = np.frombuffer(data, dtype=dtype, offset=start)
    return flat.reshape(shape, order="F" if in_columns else "C")
