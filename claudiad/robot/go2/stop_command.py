"""`claudiad stop-robot`: the stop alone. Needs the SDK and an interface, and nothing else that could be broken.

No configuration is read: the interface is the one given, or that of the robot that was found or commanded last.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from claudiad.errors import ClaudiaError, RobotError
from claudiad.robot.go2 import memo
from claudiad.robot.go2.link import Link
from claudiad.robot.go2.rpc import OK, SEND_FAILED, Client

STOP_MOVE = 1003
_CALL_S = 0.2
_RETRY_S = 0.02
_AFTER_S = 1.2
"""Stops go on for so long after the first that was acknowledged: a velocity that somebody still sends holds for 1 s."""


def stop(interface: str, domain: int, seconds: float) -> tuple[int, float]:
    """Send StopMove until it is acknowledged, at most so long. Returns attempts and milliseconds. Raises RobotError."""
    began = time.monotonic()
    link = Link(interface, domain)
    try:
        client, attempts, code = Client(link, "sport"), 0, 0
        while (left := began + seconds - time.monotonic()) > 0:
            code = client.call(STOP_MOVE, timeout_s=min(_CALL_S, left), urgent=True).code
            attempts += code != SEND_FAILED
            if code == OK:
                ms = (time.monotonic() - began) * 1000
                until = time.monotonic() + _AFTER_S
                while time.monotonic() < until:
                    client.call(STOP_MOVE, timeout_s=_CALL_S, urgent=True)
                    time.sleep(_RETRY_S)
                return attempts, ms
            time.sleep(_RETRY_S)
    finally:
        link.close()
    raise RobotError(
        f"the robot on {interface} did not acknowledge a stop within {seconds:g} s "
        f"({attempts} sent, last code {code}): use its remote control or take it by its handle"
    )


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="claudiad stop-robot",
        description="Stop the Go2, whatever else is broken: repeats StopMove until it is acknowledged. Reads no "
        "configuration; moves nothing; works while a daemon holds the robot.",
        epilog="Exit statuses: 0 acknowledged · 64 wrong command line · 76 not acknowledged · 78 no SDK, no interface",
    )
    p.add_argument("--interface", help="network interface of the Go2 (default: that of the robot that was found last)")
    p.add_argument("--domain", type=int, help="DDS domain (default: that of the robot that was found last, else 0)")
    p.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS", help="how long to try (default: 5)")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    try:
        args = parser().parse_args(argv)
    except SystemExit as fault:
        return 64 if fault.code else 0
    kept = None if args.interface and args.domain is not None else memo.load(os.environ)
    interface = args.interface or (kept[0] if kept else "")
    if not interface:
        print("claudiad stop-robot: which interface? none was ever used here: --interface eth0", file=sys.stderr)
        return 78
    domain = args.domain if args.domain is not None else kept[1] if kept and kept[0] == interface else 0
    try:
        attempts, ms = stop(interface, domain, args.timeout)
    except ClaudiaError as fault:
        print(f"claudiad stop-robot: {fault}", file=sys.stderr)
        return fault.exit_status
    except KeyboardInterrupt:
        return 130
    print(f"stopped: acknowledged on {interface} after {attempts} attempt{'s' * (attempts != 1)}, {ms:.0f} ms")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
