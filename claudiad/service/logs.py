"""Where log lines go: to the journal with their fields, or as plain lines to standard error.

docs/logging.md has the levels. What people said is kept out of both where `[privacy] log_speech` says so.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final, TextIO

from claudiad.service.events import KNOWN, REPEATED, Fields, Value
from claudiad.service.journal import Journal, is_journal
from claudiad.service.repeats import Repeats

IDENTIFIER: Final = "claudiad"
MOST, INTERVAL_S = 5, 60.0
"""Of one line, at most so many per minute."""
HIDDEN_SPEECH: Final = "(not logged)"

_PRIORITY: Final = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


def configure(level: str, *, log_speech: bool, stream: TextIO | None = None) -> Output:
    """Make the one handler of the process, in place of all others. May be called again, with other settings."""
    stream = stream or _standard_error()
    journal = None
    with contextlib.suppress(OSError, ValueError):  # a stream that is no file, as in tests, is no journal
        if is_journal(stream.fileno(), os.environ):
            journal = Journal()
    output = Output(stream, journal, log_speech=log_speech)
    logging.basicConfig(level=level.upper(), handlers=[output], force=True)
    return output


def _standard_error() -> TextIO:
    """Standard error by a descriptor of its own: PortAudio's binding points the usual one at nowhere while it looks for
    devices, and what is logged meanwhile would be lost. One that was replaced (by a test) is used as it is.
    """
    if sys.stderr is not sys.__stderr__:
        return sys.stderr
    return _own_standard_error()


@cache
def _own_standard_error() -> TextIO:
    # Open until the process ends, like the one it stands for.
    return os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1, encoding="utf-8", errors="backslashreplace")


class Output(logging.Handler):
    """The one handler. Lines that come again and again are counted after the first few.

    Never raises into the program. A journal that does not listen is replaced, line by line, by standard error.
    """

    def __init__(
        self,
        stream: TextIO,
        journal: Journal | None,
        *,
        log_speech: bool,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._stream = stream
        self._journal = journal
        self._log_speech = log_speech
        self._now = now
        self._repeats: Repeats[tuple[str, int, str]] = Repeats(MOST, INTERVAL_S)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.tell_repeats()
            if not _may_repeat(record) and not self._repeats.admit(_kind(record), self._now()):
                return
            self._write(record)
        except Exception:
            self.handleError(record)

    def tell_repeats(self) -> None:
        """Say how many lines were not shown, of those whose minute is over. Call it now and then."""
        self.acquire()
        try:
            over = list(self._repeats.over(self._now()))
        finally:
            self.release()
        for (name, level, template), hidden in over:
            text = f"… and {hidden} more like: {template.partition(chr(10))[0]}"
            told = logging.LogRecord(name, level, "", 0, "%s", (text,), None)
            told.journal = REPEATED.fields(CLAUDIA_REPEATED=hidden)
            self._write(told)

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
        super().close()

    def _write(self, record: logging.LogRecord) -> None:
        text = message(record, log_speech=self._log_speech)
        if self._journal is not None and self._journal.send(fields(record, text, log_speech=self._log_speech)):
            self._tell_lost(self._journal)
            return
        if self._journal is not None:
            prefix = f"<{_PRIORITY.get(record.levelno, 5)}>"
            line = "\n".join(prefix + one for one in text.split("\n"))
        else:
            line = f"{time.strftime('%H:%M:%S', time.localtime(record.created))} {record.levelname:<7} {text}"
        self._stream.write(line + "\n")
        self._stream.flush()

    def _tell_lost(self, journal: Journal) -> None:
        if (lost := journal.lost) == 0:
            return
        journal.lost = 0
        text = f"{lost} lines were lost here: the journal did not keep up"
        journal.send([("MESSAGE", text), ("PRIORITY", "4"), ("SYSLOG_IDENTIFIER", IDENTIFIER)])


def message(record: logging.LogRecord, *, log_speech: bool) -> str:
    """The record's text, with the traceback below it; without `log_speech` no word that was said is in either."""
    known = KNOWN.get((record.name, str(record.msg)))
    if log_speech or known is None or not isinstance(record.args, tuple):
        text = record.getMessage()
    else:
        args = (HIDDEN_SPEECH if i in known.speech else arg for i, arg in enumerate(record.args))
        text = str(record.msg) % tuple(args)
    if record.exc_info is None or record.exc_info[1] is None:
        return text
    return text + "\n" + _traceback(record.exc_info[1], log_speech).rstrip("\n")


def fields(record: logging.LogRecord, text: str, *, log_speech: bool) -> Iterator[tuple[str, str]]:
    """The entry's fields, in the journal's terms."""
    yield "MESSAGE", text
    yield "PRIORITY", str(_PRIORITY.get(record.levelno, 5))
    yield "SYSLOG_IDENTIFIER", IDENTIFIER
    yield "CLAUDIA_MODULE", record.name
    if record.pathname:
        yield "CODE_FILE", record.pathname
        yield "CODE_LINE", str(record.lineno)
        yield "CODE_FUNC", record.funcName or ""
    yield "THREAD_NAME", record.threadName or ""
    if record.exc_info is not None and record.exc_info[1] is not None:
        yield "CLAUDIA_EXCEPTION", type(record.exc_info[1]).__name__
    given: Fields = getattr(record, "journal", None) or _known_fields(record, log_speech=log_speech)
    for name, value in given.items():
        for one in [value] if isinstance(value, str | int | float) else value:
            yield name, _text(one)


def _known_fields(record: logging.LogRecord, *, log_speech: bool) -> Fields:
    known = KNOWN.get((record.name, str(record.msg)))
    if known is None or known.event is None:
        return {}
    args = record.args if isinstance(record.args, tuple) else ()
    named: dict[str, Value] = {
        name: arg if isinstance(arg, int | float) else str(arg)
        for i, (name, arg) in enumerate(zip(known.fields, args, strict=False))
        if name is not None and (log_speech or i not in known.speech)
    }
    return known.event.fields(**named)


def _kind(record: logging.LogRecord) -> tuple[str, int, str]:
    return record.name, record.levelno, str(record.msg)


def _may_repeat(record: logging.LogRecord) -> bool:
    """A bare `%s` is no kind of line: the turn's own lines are such, and each of them counts."""
    return str(record.msg).startswith("%s")


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _traceback(error: BaseException, log_speech: bool) -> str:
    if log_speech:
        return "".join(traceback.format_exception(error))
    # What an exception says may quote what a person said; where it came from does not.
    out = io.StringIO()
    for one in traceback.TracebackException.from_exception(error).stack.format():
        out.write(one)
    out.write(type(error).__name__)
    return out.getvalue()
