"""`claudiactl`: talk to the running daemon. A program of its own, so that a stop does not wait for imports."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

from claudiad import __version__
from claudiad.command_line import Parser
from claudiad.control import client, wire
from claudiad.control.address import candidates
from claudiad.control.wire import Command, Fault, JsonObject
from claudiad.errors import ClaudiaError

REFUSED = 1
NO_PERMISSION = 77

EPILOG = """\
examples:
  claudiactl status                   what it is doing, and what is wrong
  claudiactl ask 立って挨拶して         as if it had been said
  claudiactl stop                     the robot stands still until claudiactl reset
  claudiactl --json stats | jq .times_ms.speech_end_to_dispatch

Whoever is in the group claudia may use it. Without a daemon, `claudiad stop-robot` stops a Go2.

exit statuses: 0 done · 1 refused, or a part of it was · 64 wrong command line · 69 claudiad is not running
75 it does not answer · 77 permission denied
"""

HELP: dict[Command, tuple[str, str]] = {
    "status": ("what it is doing, and what is wrong", "Shows nothing that was said."),
    "ask": (
        "decide and do what a sentence says",
        "Each TEXT is handled like a spoken sentence that begins with the robot's name, on the daemon's own robot; `-` "
        "reads lines from standard input. Ends when the robot has done it. Status 1 when an action was refused.",
    ),
    "say": (
        "speak a text",
        "Through the purity filter: what cannot be said in clean Japanese is repaired or left out, and stop words are "
        "reworded. Ends when it has sounded.",
    ),
    "stop": (
        "stop the robot and keep it stopped",
        "Through the stop lane, past everything that is under way. Nothing moves afterwards, also not after a restart, "
        "until `claudiactl reset` or a spoken 解除.",
    ),
    "reset": ("let it move again after a stop", "Moves nothing."),
    "mute": (
        "hear nothing but stops",
        "What else is heard is thrown away: not answered, not logged, not kept. A stop word still stops the robot. "
        "Ends with `unmute` or a restart.",
    ),
    "unmute": ("listen again", ""),
    "reload": (
        "read the configuration again",
        "Like `systemctl reload claudiad`: a faulty file is refused with its line, and the old settings stay.",
    ),
    "stats": ("counts and times since the start", "Times in ms; `claudiad report` knows the days before."),
}


def parser() -> argparse.ArgumentParser:
    """The whole command line: also what man page and completion are made from."""
    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--json", action="store_true", help="one JSON object per line")
    common.add_argument("--socket", type=Path, metavar="PATH", help="the daemon's socket (default: looked for)")
    p = Parser(
        prog="claudiactl",
        description="Talk to the claudiad that is running: ask, stop, watch.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    p.add_argument("--version", action="version", version=f"claudiactl {__version__}")
    sub = p.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (short, more) in HELP.items():
        each = sub.add_parser(name, help=short, description=more, parents=[common])
        if name in wire.WITH_TEXT:
            each.add_argument("text", nargs="+", metavar="TEXT", help="Japanese")
    allow = sub.add_parser(
        "allow",
        help="let the unit reach a model server elsewhere",
        description="Writes a drop-in for claudiad.service that allows the address of a remote Ollama, or of the cloud "
        "model. Needs root, and no running daemon.",
    )
    allow.add_argument("host", metavar="HOST", help="name, address, network or URL; `cloud` for the cloud model")
    allow.add_argument("--remove", action="store_true", help="take it back")
    allow.add_argument("--root", type=Path, default=Path("/"), metavar="DIR", help="write below DIR instead of /")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Never raises for anything but its own faults; messages go to standard error, one line each."""
    args = parser().parse_args(argv)
    try:
        return _allow(args) if args.command == "allow" else _talk(args)
    except ClaudiaError as fault:
        print(f"claudiactl {args.command}: {fault}", file=sys.stderr)
        return fault.exit_status
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130


def _talk(args: argparse.Namespace) -> int:
    command = cast(Command, args.command)
    paths = [args.socket] if "socket" in args else candidates(os.environ, os.getuid())
    status = 0
    for text in _texts(args):
        reply = client.ask(paths, command, text)
        if isinstance(reply, Fault):
            status = REFUSED
            print(f"claudiactl {command}: {reply.message}", file=sys.stderr)
            if "json" in args:
                print(json.dumps({"error": {"code": reply.code, "message": reply.message}}, ensure_ascii=False))
            continue
        if command == "ask" and reply.get("refused"):
            status = REFUSED
        if command == "stop" and not reply.get("acknowledged"):
            status = REFUSED
        if "json" in args:
            print(json.dumps(reply, ensure_ascii=False), flush=True)
        else:
            _show(command, reply)
    return status


def _texts(args: argparse.Namespace) -> Iterable[str | None]:
    """The texts to send one by one; None for a command that has none. What is no UTF-8 comes as U+FFFD."""
    if args.command not in wire.WITH_TEXT:
        yield None
        return
    given = [text.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for text in args.text]
    if args.command == "say":
        yield " ".join(given)
        return
    for text in given:
        if text == "-":
            yield from filter(None, (line.decode("utf-8", "replace").strip() for line in sys.stdin.buffer))
        else:
            yield text


def _show(command: Command, reply: JsonObject) -> None:
    from claudiad.app.claudiactl_text import lines_of

    for line in lines_of(command, reply):
        print(line, flush=True)


def _allow(args: argparse.Namespace) -> int:
    from claudiad.app.allow import IN_FORCE, drop_in, written

    done = "removed" if args.remove else "wrote"
    try:
        if args.remove:
            path = written(args.host, args.root)
            path.unlink()
            content = ""
        else:
            path, content = drop_in(args.host, args.root)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    except FileNotFoundError:
        print(f"claudiactl allow: {args.host} was not allowed: there is no {path}", file=sys.stderr)
        return REFUSED
    except PermissionError as fault:
        print(f"claudiactl allow: {fault.filename}: permission denied: run it with sudo", file=sys.stderr)
        return NO_PERMISSION
    print(f"{done} {path}", *(f"  {line}" for line in content.splitlines()), sep="\n")
    print(f"for it to take effect, without a restart: {IN_FORCE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
