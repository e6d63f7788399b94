"""What the tests of the programs share: files in the formats that they read and write."""
import hashlib
import json
import os
import struct
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
