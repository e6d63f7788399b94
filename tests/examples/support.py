"""What the tests of the programs share: files in the formats that they read and write."""
import hashlib
import json
import os
import re
import struct
import subprocess
import zlib
from pathlib import Path

# Threads that wait by spinning would only make each other wait on a busy machine.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("CI", "NO_COLOR", "COLUMNS")}
ENVIRONMENT |= {"OMP_WAIT_POLICY": "passive", "TERM": "xterm"}


def idx(*sizes, data):
    return bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + bytes(data)


def read_safetensors(path):
    """The metadata, and each tensor's shape."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__")
    return metadata, {name: tensor["shape"] for name, tensor in header.items()}


def read_tensors(path):
    """The bytes of each tensor."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    places = {name: tensor["data_offsets"] for name, tensor in header.items()}
    return {name: content[8 + length + begin : 8 + length + end] for name, (begin, end) in places.items()}


def checkpoint_checksum(content):
    """What eigan states of a checkpoint: a hash over words of 64 bits, of the metadata and the tensors by name."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    state = 0xCBF29CE484222325

    def add(data):
        nonlocal state
        padded = data + bytes(-len(data) % 8)
        for word in (len(data), *struct.unpack(f"<{len(padded) // 8}Q", padded)):
            state = (state ^ word) * 0x9E3779B97F4A7C15 % 2**64
            state = (state ^ state >> 32) * 0x9E3779B97F4A7C15 % 2**64

    for key, value in sorted(header.pop("__metadata__").items()):
        if key != "checksum":
            add(key.encode())
            add(value.encode())
    for name in sorted(header):
        begin, end = header[name]["data_offsets"]
        add(name.encode())
        add(bytes(content[8 + length + begin : 8 + length + end]))
    return f"{state:016x}"


def with_safetensors_header(path, change):
    """The content of a file whose header `change` has changed."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def digest(content):
    """Stands for a file's content where two of them are compared: when that fails, nobody wants to see megabytes."""
    return hashlib.sha256(content.read_bytes() if isinstance(content, Path) else content).hexdigest()


def png_size(path):
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", content[16:24])


def png(width, height, rows, kind=0, depth=8, **chunks):
    """A PNG of colour type `kind` (0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA); each row is bytes."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
            + b"".join(chunk(name.encode(), data) for name, data in chunks.items())
            + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b""))


def in_its_middle(*command, epochs=1, **more):
    """A training after so many epochs, and what it has said so far. Nothing can come to its end before somebody has read
    more of its messages than a pipe of one page takes, however late this is."""
    process = subprocess.Popen(list(command), env=ENVIRONMENT, stderr=subprocess.PIPE, bufsize=0, pipesize=4096, **more)
    said = b""
    while True:
        line = process.stderr.readline()
        said += line
        assert line, said.decode()
        if at := re.match(rb"epoch +(\d+)/(\d+) ", line):
            done, all_of_them = int(at[1]), int(at[2])
            assert (all_of_them - done) * len(line) > 4096, f"it may come to its end: {said.decode()}"
            if done == epochs:
                return process, said.decode()


def rest_of(process):
    """What the training says from now on."""
    said = process.stderr.read().decode()
    process.stderr.close()
    return said
