"""Safetensors files for NumPy: as much of the format as the golden tests need.

A file is the length of its header (8 bytes, little-endian), the header in JSON, and the tensors' bytes, row-major. The
header maps each name to {"dtype", "shape", "data_offsets"} and "__metadata__" to an object of strings.
"""
import json
import struct

import numpy

DTYPES = {"F16": numpy.dtype("<f2"), "F32": numpy.dtype("<f4"), "F64": numpy.dtype("<f8"), "I64": numpy.dtype("<i8")}


def write(path, tensors, metadata=None):
    """Writes a dictionary of arrays."""
    names = {dtype: name for name, dtype in DTYPES.items()}
    tensors = {name: numpy.asarray(array, order="C") for name, array in tensors.items()}
    header, begin = {"__metadata__": metadata} if metadata else {}, 0
    order = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))  # so that every element is aligned
    for name in order:
        array = tensors[name]
        header[name] = {"dtype": names[array.dtype], "shape": array.shape, "data_offsets": [begin, begin + array.nbytes]}
        begin += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(tensors[name].tobytes() for name in order))


def read(path):
    """The tensors of a file, a dictionary of arrays, and its metadata."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(length)), file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = numpy.frombuffer(data[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata
