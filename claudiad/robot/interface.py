"""The network interface a Go2 is on, checked before the SDK gets its name: with a wrong one the SDK hangs or is mute.

Reads `/sys/class/net` and asks the kernel for the address; sends nothing.
"""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from claudiad.errors import ConfigError, RobotError

SYSFS = Path("/sys/class/net")

_IFF_UP = 0x1
_IFF_LOOPBACK = 0x8
_SIOCGIFADDR = 0x8915
_IFREQ = struct.Struct("16s16s")
_NO_LINK = frozenset({"down", "lowerlayerdown", "notpresent", "dormant"})
"""Values of `operstate` of an interface that is switched on but joined to nothing. Loopback's is "unknown": up."""


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface that can carry DDS."""

    name: str
    address: str
    """IPv4, dotted."""
    loopback: bool
    """True for the one that reaches only this machine: a simulator, no robot."""


def ipv4_address(name: str) -> str | None:
    """The first IPv4 address of an interface, None when it has none or is not there. Raises OSError."""
    request = _IFREQ.pack(name.encode(), b"")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
        except OSError as fault:
            if fault.errno in {errno.EADDRNOTAVAIL, errno.ENODEV}:
                return None
            raise
    # struct sockaddr_in after the name: family and port, two bytes each, then the address.
    return socket.inet_ntoa(answer[20:24])


def names(root: Path = SYSFS) -> list[str]:
    """The interfaces there are, sorted, loopback last."""
    found = [entry.name for entry in root.iterdir() if (entry / "flags").exists()] if root.is_dir() else []
    return sorted(found, key=lambda name: (_flags(root, name) & _IFF_LOOPBACK, name))


def check(name: str, root: Path = SYSFS, address_of: Callable[[str], str | None] = ipv4_address) -> Interface:
    """The interface called `name`, fit for the SDK. Raises RobotError: one sentence that says what to do."""
    here = names(root)
    listed = ", ".join(here) or "none"
    if not name:
        raise ConfigError(
            [f"robot.interface: not set: set it to the network interface the Go2 is on; here are: {listed}"]
        )
    if name not in here:
        raise RobotError(f"robot.interface: there is no network interface {name!r}; here are: {listed}")
    flags = _flags(root, name)
    if not flags & _IFF_UP:
        raise RobotError(f"robot.interface: {name} is down; switch it on with: sudo ip link set {name} up")
    if _read(root, name, "operstate") in _NO_LINK:
        raise RobotError(f"robot.interface: {name} has no link; plug in the cable to the Go2 and switch the robot on")
    address = address_of(name)
    if address is None:
        raise RobotError(
            f"robot.interface: {name} has no IPv4 address, and the Go2 is on 192.168.123.0/24; "
            f"give it one with: sudo ip addr add 192.168.123.222/24 dev {name}"
        )
    return Interface(name, address, bool(flags & _IFF_LOOPBACK))


def _flags(root: Path, name: str) -> int:
    return int(_read(root, name, "flags") or "0", 16)


def _read(root: Path, name: str, attribute: str) -> str:
    """One line of sysfs; empty when the interface has gone or does not say."""
    try:
        return (root / name / attribute).read_text(encoding="ascii").strip()
    except OSError:
        return ""
