"""`claudiad-go2sim`: the command line."""

from __future__ import annotations

import argparse
import contextlib
import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from claudiad import __version__
from claudiad.command_line import Parser
from claudiad.errors import ClaudiaError, RobotError
from claudiad.go2sim import control, faults
from claudiad.go2sim.faults import Fault
from claudiad.go2sim.server import Go2Server, Options
from claudiad.robot.go2.link import Link
from claudiad.robot.interface import check
from claudiad.robot.simulator import Go2Body
from claudiad.types import Posture

UNLOCK_S = 6.0
"""Move is ignored for 4 to 10 s after StandUp (docs/facts.md)."""

_SWITCH_S = 0.0005
"""How long one thread may keep the others from running: a request is not to wait for a state message."""

EPILOG = f"""\
Standard output has one JSON object a line, each with t, monotonic seconds. A call:
  t service api_id name params code done noreply id fault
code is what is answered, null when nothing will be; done is whether the robot took it; fault what fell upon it.
Everything else has an `event`: start (the first line, when it can be called), state (posture or state machine have
changed), answer (of --reply-at end), fall, fault, status, stop.

Faults, KIND[:ARGUMENTS][@AFTER_S][xCOUNT], with --fault or as lines on standard input while it runs:
{faults.HELP}
Standard input also takes `clear` (forget all faults) and `status` (an event with the pose in truth and by odometry).

Exit statuses: 0 ended by SIGTERM or SIGINT · 64 wrong command line · 76 the network interface cannot be used
78 the SDK is not installed
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = Parser(
        prog="claudiad-go2sim",
        description="A simulated Unitree Go2 on DDS: programs written for the SDK talk to it as to the robot.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("--version", action="version", version=f"claudiad {__version__}")
    p.add_argument("--interface", default="lo", metavar="NAME", help="network interface (lo: this machine only)")
    p.add_argument("--domain", type=_number(0, 232, int), default=0, metavar="N", help="DDS domain (0, the robot's)")

    body = p.add_argument_group("the body")
    postures = [posture.value for posture in Posture if posture is not Posture.UNKNOWN]
    body.add_argument("--posture", choices=postures, default="standing", help="how it begins (standing)")
    body.add_argument(
        "--battery", type=_number(0, 100), default=100.0, metavar="0-100", help="charge it begins with, percent (100)"
    )
    body.add_argument(
        "--slip", type=_number(0, 0.5), default=0.0, metavar="0-0.5", help="part of every movement that is lost (0)"
    )
    body.add_argument(
        "--drift",
        type=_number(-0.5, 0.5),
        default=0.0,
        metavar="PART",
        help="part of every movement that odometry counts too much (0)",
    )
    body.add_argument(
        "--noise",
        type=_number(0, 1),
        default=0.0,
        metavar="M",
        help="noise of odometry: standard deviation in metres, and in radians of heading (0)",
    )
    body.add_argument("--seed", type=_number(0, 2**31, int), default=0, metavar="N", help="of the noise (0)")
    body.add_argument(
        "--unlock",
        type=_number(0, 60),
        default=UNLOCK_S,
        metavar="SECONDS",
        help=f"joints stay locked so long after StandUp, or until BalanceStand ({UNLOCK_S:g}; 0: never locked)",
    )

    firmware = p.add_argument_group("the firmware")
    firmware.add_argument(
        "--firmware",
        choices=("current", "old"),
        default="current",
        help="old: error_code is 0 and mode tells the state, and it knows the actions taken out later (current)",
    )
    firmware.add_argument(
        "--reply-at",
        choices=("accept", "end"),
        default="accept",
        help="answer an action when it is accepted, or when it is completed (4201 when it was stopped) (accept)",
    )
    firmware.add_argument(
        "--serial",
        action="store_true",
        help="take the next request when the last one has been answered: with --reply-at end a StopMove waits",
    )
    firmware.add_argument("--no-avoid", action="store_true", help="no service obstacles_avoid, as on some models")
    firmware.add_argument(
        "--fault", type=_fault, action="append", default=[], metavar="FAULT", help="see below; may be repeated"
    )

    p.add_argument(
        "--view",
        action="store_true",
        help="a live picture of the dog on standard error; the log is left out where both go to a terminal",
    )
    p.add_argument("--exit-on-eof", action="store_true", help="end when standard input ends")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run until a signal ends it. Returns the exit status."""
    args = parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="claudiad-go2sim: %(message)s")
    try:
        return _run(args)
    except ClaudiaError as fault:
        _say(str(fault))
        return fault.exit_status


def _run(args: argparse.Namespace) -> int:
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    # In the background of a terminal, reading standard input is an error then, and does not suspend the process.
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    old = args.firmware == "old"
    body = Go2Body(
        time.monotonic,
        posture=Posture(args.posture),
        battery=args.battery,
        slip=args.slip,
        drift=args.drift,
        noise=args.noise,
        seed=args.seed,
        unlock_s=args.unlock,
        legacy=old,
    )
    try:
        check(args.interface)
    except RobotError as fault:
        raise RobotError(str(fault).replace("robot.interface", "--interface")) from None
    link = Link(args.interface, args.domain)
    sys.setswitchinterval(_SWITCH_S)
    # A log on the terminal would tear the picture apart.
    hidden = args.view and sys.stdout.isatty() and sys.stderr.isatty()
    with contextlib.nullcontext(sys.stdout) if not hidden else Path(os.devnull).open("w", encoding="utf-8") as out:
        options = Options(args.reply_at, args.serial, not args.no_avoid, old)
        server = Go2Server(link, body, options, args.fault, out, die=lambda: os._exit(1))
        at_end = over.set if args.exit_on_eof else lambda: None
        threading.Thread(target=control.listen, args=(server.desk, _say, at_end), name="stdin", daemon=True).start()
        try:
            if args.view:
                from claudiad.go2sim.view import show

                show(body, server.journal.recent, f"{args.interface}, domain {args.domain}", over)
            else:
                over.wait()
        finally:
            server.close()
            if server.journal.closed:
                # Nobody reads the log any more; without this the interpreter complains of it once more.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _say(text: str) -> None:
    print(f"claudiad-go2sim: {text}", file=sys.stderr)


def _number(least: float, most: float, kind: type[int] | type[float] = float) -> Callable[[str], float]:
    """An argparse type: a number within bounds."""

    def read(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r}: a number from {least:g} to {most:g}")
        return value

    return read


def _fault(text: str) -> Fault:
    try:
        return faults.parse(text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None


if __name__ == "__main__":
    sys.exit(main())
