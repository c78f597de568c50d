"""`claudiad`: the command line. Errors become one line and a stable exit status, never a traceback."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from claudiad import __version__
from claudiad.command_line import Parser
from claudiad.errors import ClaudiaError, ConfigError

COMMANDS = (
    "run",
    "demo",
    "doctor",
    "ask",
    "hear",
    "mission",
    "say",
    "purity",
    "check_config",
    "report",
    "models",
    "voices",
    "bench",
)
MODULES = {"models": "claudiad.app.models_cmd", "voices": "claudiad.app.voices_cmd"}

STOP_ROBOT = "stop-robot"

EPILOG = """\
Exit statuses: 0 done · 1 the demo or a mission failed · 64 wrong command line · 65 unreadable data
69 a language model · 74 sound device · 75 the robot is held by another process · 76 the robot refused
78 configuration, engine or model
"""


def parser() -> argparse.ArgumentParser:
    p = Parser(
        prog="claudiad",
        description="The voice of a robot dog: spoken Japanese in, clean Japanese and safe motion out, no cloud.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("--version", action="version", version=f"claudiad {__version__}")
    sub = p.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(MODULES.get(name, f"claudiad.app.cmd_{name}")).add_parser(sub)
    sub.add_parser(STOP_ROBOT, help="stop the Go2 and nothing else; works whatever else is broken", add_help=False)
    return p


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == [STOP_ROBOT]:
        # Before anything else is imported or read: nothing that is broken elsewhere may keep it from stopping.
        return int(importlib.import_module("claudiad.robot.go2.stop_command").main(words[1:]))
    args = parser().parse_args(words)
    try:
        return int(args.run(args))
    except ConfigError as fault:
        print("\n".join(fault.faults), file=sys.stderr)
        return fault.exit_status
    except ClaudiaError as fault:
        print(f"claudiad {args.command}: {fault}", file=sys.stderr)
        return fault.exit_status
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
