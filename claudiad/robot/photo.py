"""Pictures the robot takes: where they are kept, what is said about one, and what a simulator's camera sees.

Files: `photo-YYYYmmdd-HHMMSS.jpg` in local time, with `-2`, `-3`… behind it when one second has several.
"""

from __future__ import annotations

import os
import re
import tempfile
from datetime import datetime
from itertools import count
from pathlib import Path

from claudiad.errors import RobotError

_BEGIN, _END = b"\xff\xd8", b"\xff\xd9"
_NAME = re.compile(r"photo-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)(?:-(\d+))?")

_WIDTH, _HEIGHT = 64, 48


def save(jpeg: bytes, folder: Path, now: datetime) -> Path:
    """Keep a picture taken at `now` (local time); the path of its file, which appears whole or not at all.

    Raises RobotError for what is no whole JPEG and for a folder that cannot be written to.
    """
    if len(jpeg) < 4 or not (jpeg.startswith(_BEGIN) and jpeg.endswith(_END)):
        raise RobotError(f"the camera sent {len(jpeg)} bytes that are no JPEG")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".photo-", suffix=".part")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(jpeg)
            return _publish(part, folder, f"photo-{now:%Y%m%d-%H%M%S}")
        except OSError:
            part.unlink(missing_ok=True)
            raise
    except OSError as fault:
        raise RobotError(f"cannot keep the picture in {folder}: {fault.strerror or fault}") from fault


def _publish(part: Path, folder: Path, stem: str) -> Path:
    """Give the file the first name that is free. Nobody else takes one meanwhile: one process holds the robot."""
    names = (f"{stem}.jpg" if n == 1 else f"{stem}-{n}.jpg" for n in count(1))
    return part.replace(next(path for name in names if not (path := folder / name).exists()))


def spoken(path: Path) -> str:
    """Which file it became, for the voice: its date and time, since Latin letters are not spoken."""
    found = _NAME.fullmatch(path.stem)
    if found is None:
        return "写真を撮って、保存しました。"
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    which = f"の{found[7]}番" if found[7] else ""
    return f"写真を撮って、{year}年{month}月{day}日{hour}時{minute}分{second}秒{which}の名前で保存しました。"


def simulated(x: float, y: float, yaw: float) -> bytes:
    """A small grey JPEG from a simulated camera; where it was taken (metres, radians) stands in its comment."""
    comment = f"simulated x={x:.3f} y={y:.3f} yaw={yaw:.4f}".encode()
    # One table, one component, one Huffman code of one bit in each class (zero difference, end of block): every
    # block of eight by eight is the two bits 00, and the picture is as plain as a JPEG can be.
    one_code = bytes([1, *[0] * 15, 0])
    blocks = (_WIDTH // 8) * (_HEIGHT // 8)
    size = _HEIGHT.to_bytes(2, "big") + _WIDTH.to_bytes(2, "big")
    return b"".join(
        (
            _BEGIN,
            _segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
            _segment(0xFE, comment),
            _segment(0xDB, b"\0" + b"\x01" * 64),
            _segment(0xC0, b"\x08" + size + b"\x01\x01\x11\0"),
            _segment(0xC4, b"\0" + one_code),
            _segment(0xC4, b"\x10" + one_code),
            _segment(0xDA, b"\x01\x01\0\0\x3f\0"),
            bytes(blocks * 2 // 8),
            _END,
        )
    )


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload
