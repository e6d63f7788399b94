"""Digits of MNIST as pictures that people could have drawn: what the tests of mnist_recogniser render.

Every picture is rows of grey values, 0 black to 255 white, and follows from the digit and its number alone.
"""
import gzip
from pathlib import Path

SIDE = 28


def mnist(folder, part):
    """The images, 28 rows of bytes each, and the labels of one part: train or t10k. None where MNIST is absent."""
    def content(name, kind):
        for separator in "-.":
            for ending in ("", ".gz"):
                path = Path(folder) / f"{part}-{name}{separator}{kind}{ending}"
                if path.exists():
                    data = path.read_bytes()
                    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        return None

    images, labels = content("images", "idx3-ubyte"), content("labels", "idx1-ubyte")
    if images is None or labels is None:
        return None
    size = SIDE * SIDE
    digits = [[images[at + SIDE * row : at + SIDE * (row + 1)] for row in range(SIDE)]
              for at in range(16, len(images), size)]
    return digits, list(labels[8:])


def on_canvas(digit, width, height, left, top):
    """Light on black; what lies outside the canvas is lost."""
    rows = [bytearray(width) for _ in range(height)]
    for y in range(SIDE):
        for x in range(SIDE):
            if 0 <= y + top < height and 0 <= x + left < width:
                rows[y + top][x + left] = max(rows[y + top][x + left], digit[y][x])
    return rows


def inverted(rows):
    return [bytes(255 - value for value in row) for row in rows]


def enlarged(rows, times):
    """Linear between pixels."""
    def places(count):
        result = []
        for i in range(count * times):
            place = min(max((i + 0.5) / times - 0.5, 0), count - 1)
            first = min(int(place), max(count - 2, 0))
            result.append((first, min(first + 1, count - 1), place - first))
        return result

    across = places(len(rows[0]))
    wide = [[row[a] + (row[b] - row[a]) * part for a, b, part in across] for row in rows]
    return [bytes(round(x + (y - x) * part) for x, y in zip(wide[a], wide[b])) for a, b, part in places(len(rows))]


def moved(digit, number):
    """By 4 pixels across, down or both; light on dark and dark on light in turn."""
    dx, dy = ((4, 0), (0, 4), (-4, 0), (0, -4), (4, 4), (-4, 4), (4, -4), (-4, -4))[number % 8]
    rows = on_canvas(digit, SIDE, SIDE, dx, dy)
    return inverted(rows) if number // 8 % 2 else rows


def framed(digit, number):
    """Dark on white within a frame of one dark pixel: around it, or in place of its outermost pixels."""
    room = 2 * (number % 2)
    rows = [bytearray(row) for row in inverted(on_canvas(digit, SIDE + room, SIDE + room, room // 2, room // 2))]
    for i in range(len(rows)):
        rows[0][i] = rows[-1][i] = rows[i][0] = rows[i][-1] = 0
    return rows


def unevenly_lit(digit, number, times=1):
    """Dark ink on paper whose light goes from 160 to 240 along one of six directions."""
    ink = on_canvas(digit, SIDE, SIDE, 0, 0)
    ink = enlarged(ink, times) if times > 1 else ink
    last = len(ink) - 1
    rows = []
    for y, row in enumerate(ink):
        line = bytearray()
        for x, value in enumerate(row):
            u, v = x / last, y / last
            paper = 160 + 80 * (u, 1 - u, v, 1 - v, (u + v) / 2, (1 - u + v) / 2)[number % 6]
            line.append(round(paper * (1 - 0.9 * value / 255)))
        rows.append(line)
    return rows


def white_on_transparent(digit, number):
    """Grey and how opaque, alternating: white ink on a ground that is not there, whose colour is white or black."""
    ground = 255 * (number % 2)
    return [bytes(part for value in row for part in (255 if value else ground, value)) for row in digit]


def columns_of(digit):
    """The first and the last column with ink."""
    inked = [x for x in range(SIDE) if any(row[x] > 50 for row in digit)]
    return inked[0], inked[-1]


def side_by_side(left, right, number):
    """Two digits with 2 to 9 pixels between them, dark on white."""
    gap = 2 + number % 8
    rows = on_canvas(left, 90, 36, 4, 4)
    other = on_canvas(right, 90, 36, 4 + columns_of(left)[1] + 1 + gap - columns_of(right)[0], 4 + number % 5 - 2)
    return inverted([bytes(map(max, a, b)) for a, b in zip(rows, other)])


def blank(number):
    """Paper without a digit: even, or lit unevenly, with and without grain."""
    rows = []
    state = number + 1
    for y in range(40):
        line = bytearray()
        for x in range(40):
            state = (state * 1103515245 + 12345) % 2**31
            grain = (state >> 16) % 9 - 4 if number % 2 else 0
            line.append((160 + 2 * (x if number % 4 < 2 else y) if number % 3 else 230) + grain)
        rows.append(line)
    return rows
