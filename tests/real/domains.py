"""DDS domains for tests that must not meet one another."""

from __future__ import annotations

import itertools
import os
import socket

# 0 is the robot's own; 230 is the last whose ports there are. From 101 on they lie where Linux takes those of outgoing
# connections from: one that is taken is passed over.
_DOMAINS = range(20, 231)
_PORT_BASE, _PORTS_PER_DOMAIN = 7400, 250
_UNICAST = 10
"""Offset of the first participant's own port (RTPS specification, 9.6.1.1)."""

_tried = itertools.count(os.getpid())
_reserved: list[socket.socket] = []


def free_domain() -> int:
    """A domain that no process of this machine is on, and that nobody who asks this way gets a second time."""
    for number in itertools.islice(_tried, len(_DOMAINS)):
        domain = _DOMAINS[number % len(_DOMAINS)]
        if _take(domain):
            return domain
    raise RuntimeError("no DDS domain is free")


def _take(domain: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", _PORT_BASE + _PORTS_PER_DOMAIN * domain + _UNICAST))
        except OSError:
            return False
    # Taken until this process ends: a name in the abstract namespace, which leaves nothing behind.
    mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        mark.bind(f"\0claudiad-test-dds-domain-{domain}")
    except OSError:
        mark.close()
        return False
    _reserved.append(mark)
    return True
