"""`claudiad run`: the daemon."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

import sdnotify

from claudiad import __version__
from claudiad.app import options
from claudiad.app.conversation import Conversation
from claudiad.app.ledger import TurnRecord
from claudiad.app.models_cmd import with_model_folders
from claudiad.app.parts import Parts, assemble
from claudiad.audio.build import microphone_for, speaker_for
from claudiad.audio.microphone import Microphone
from claudiad.clock import SystemClock
from claudiad.config import Settings

if TYPE_CHECKING:
    from argparse import _SubParsersAction

log = logging.getLogger(__name__)


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    p = subparsers.add_parser("run", help="the daemon: listen, answer and move until stopped")
    options.add_config(p)
    p.set_defaults(run=run)


def configure_logging(settings: Settings) -> None:
    """Lines on standard error. Under systemd the journal adds the time, and the level goes as its prefix."""
    journal = "JOURNAL_STREAM" in os.environ
    style = "{prefix}{message}" if journal else "{asctime} {levelname:<7} {message}"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(style, datefmt="%H:%M:%S", style="{", defaults={"prefix": ""}))
    if journal:
        handler.addFilter(_journal_prefix)
    logging.basicConfig(level=settings.log.level.upper(), handlers=[handler], force=True)


def _journal_prefix(record: logging.LogRecord) -> bool:
    level = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}.get(record.levelno, 2)
    record.prefix = f"<{level}>"
    return True


def run(args: argparse.Namespace) -> int:
    settings = with_model_folders(options.settings_of(args), os.environ)
    configure_logging(settings)
    return asyncio.run(serve(settings))


async def serve(settings: Settings) -> int:
    """Start everything, listen until SIGTERM or SIGINT, stop everything. Raises ClaudiaError at start."""
    notify = sdnotify.SystemdNotifier()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Before anything is loaded: a signal during the start ends it just as cleanly.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    log.info("claudiad %s starting", __version__)
    work = asyncio.create_task(_serve(settings, notify), name="serve")
    waiting = asyncio.create_task(stopping.wait(), name="signal")
    try:
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            log.info("stopping")
            notify.notify("STOPPING=1")
            work.cancel()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        with contextlib.suppress(asyncio.CancelledError):
            await work
    finally:
        if notify.socket is not None:
            notify.socket.close()
    log.info("stopped")
    return 0


async def _serve(settings: Settings, notify: sdnotify.SystemdNotifier) -> None:
    clock = SystemClock()
    began = clock.now()
    notify.notify("STATUS=loading")
    speaker = speaker_for(settings.audio, clock)
    try:
        await speaker.open()
        async with assemble(settings, clock, speaker=speaker) as parts:
            microphone = microphone_for(settings.audio, clock)
            log.info("%s", ready_line(parts, microphone, clock.now() - began))
            notify.notify("READY=1\nSTATUS=listening")
            await Conversation(parts, microphone, lambda r: notify.notify(status_line(r))).run()
    finally:
        await speaker.close()


def ready_line(parts: Parts, microphone: Microphone, seconds: float) -> str:
    """What is running, in one line, once."""
    s = parts.settings
    name = (
        "wake phrase on"
        if s.wake.mode == "on" or (s.wake.mode == "auto" and s.robot.engine == "go2")
        else "no wake phrase"
    )
    return (
        f"claudiad {__version__} ready in {seconds:.1f} s: hearing {parts.ears.main.name}, robot {parts.robot.name}, "
        f"microphone {s.audio.microphone}, speaker {s.audio.speaker} (output latency "
        f"{parts.speaker.latency_s * 1000:.0f} ms), {name}"
    )


def status_line(record: TurnRecord) -> str:
    """STATUS= for `systemctl status`: the last turn without what was said."""
    what = record.dropped or ", ".join(s.title for s in record.steps) or record.route
    ms = record.timings_ms.get("speech_end_to_dispatch") or record.timings_ms.get("speech_end_to_first_audio")
    return f"STATUS=listening; turn {record.turn}: {what}" + (f", {ms:.0f} ms" if ms else "")
