"""The other end of the control socket, for a command that asks once and ends. Imports little: it starts quickly."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from claudiad.control import wire
from claudiad.control.wire import Command, Fault, JsonObject
from claudiad.errors import ClaudiaError

ANSWER_S = 15.0
"""How long an answer is waited for; the daemon answers in milliseconds."""
LONG_ANSWER_S = 150.0
"""For what takes as long as the robot or the voice, or waits for them: more than the daemon's own limit."""
LONG: Final = wire.WITH_TEXT | {"reload"}
"""A reload waits for the end of what is being said and done."""
STOP_AGAIN_S = 0.1
STOP_PATIENCE_S = 5.0


class NotRunning(ClaudiaError):
    """Nobody listens on any of the sockets."""

    code = "not-running"
    exit_status = 69


class NotAllowed(ClaudiaError):
    """There is a daemon, and this user may not talk to it."""

    code = "permission"
    exit_status = 77


class NoAnswer(ClaudiaError):
    """A daemon is there and does not answer, or not in this language."""

    code = "no-answer"
    exit_status = 75


def ask(paths: Sequence[Path], command: Command, text: str | None = None) -> JsonObject | Fault:
    """Have one command carried out by the first daemon that listens. Raises NotRunning, NotAllowed, NoAnswer.

    A stop is asked for again while the daemon has no room for another client.
    """
    line = wire.request(command, text)
    until = time.monotonic() + STOP_PATIENCE_S
    while True:
        connection = connect(paths)
        with connection:
            connection.settimeout(LONG_ANSWER_S if command in LONG else ANSWER_S)
            reply = _exchange(connection, line)
        crowded = reply is None or (isinstance(reply, Fault) and reply.code == "too-many")
        if not (crowded and command == "stop" and time.monotonic() < until):
            break
        time.sleep(STOP_AGAIN_S)
    if reply is None:
        raise NoAnswer("the daemon closed the connection without an answer; it may be stopping")
    return reply


def connect(paths: Sequence[Path]) -> socket.socket:
    """A connection to the first that listens. Raises NotRunning, NotAllowed, NoAnswer."""
    forbidden: Path | None = None
    for path in paths:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(ANSWER_S)
        try:
            connection.connect(str(path))
        except PermissionError:
            forbidden = forbidden or path
        except TimeoutError as fault:
            connection.close()
            raise NoAnswer(f"the daemon behind {path} takes no connection") from fault
        except OSError:
            pass  # it is not there, it is a leftover, or no socket: all the same to who looks for a daemon
        else:
            return connection
        connection.close()
    if forbidden is not None:
        raise NotAllowed(
            f"permission denied for {forbidden}: add yourself to group claudia (sudo usermod -aG claudia $USER) "
            "and log in again"
        )
    looked = ", ".join(map(str, paths)) or "no place to look"
    raise NotRunning(
        f"claudiad is not running ({looked}): sudo systemctl start claudiad, or `claudiad run` in a terminal"
    )


def _exchange(connection: socket.socket, line: bytes) -> JsonObject | Fault | None:
    """None: closed without an answer."""
    try:
        with suppress(BrokenPipeError):  # refused before it was read: the reason can be read all the same
            connection.sendall(line)
        with connection.makefile("rb") as answers:
            reply = answers.readline()
        return wire.read_reply(reply) if reply else None
    except TimeoutError as fault:
        raise NoAnswer(f"the daemon did not answer in {connection.gettimeout():g} s") from fault
    except ConnectionError:
        return None
    except ValueError as fault:
        raise NoAnswer(str(fault)) from fault
