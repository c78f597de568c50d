"""`claudiad run`: the daemon as a process: its log, its signals, its last second."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import gc
import logging
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from claudiad.app import options
from claudiad.app.daemon import Daemon
from claudiad.app.models_cmd import with_model_folders
from claudiad.audio.portaudio import shared_host
from claudiad.config import Settings
from claudiad.service import logs
from claudiad.service.events import STACK, STALLED
from claudiad.service.notify import Notifier
from claudiad.service.stacks import stacks

if TYPE_CHECKING:
    from argparse import _SubParsersAction

log = logging.getLogger(__name__)

END_S: Final = 4.0
"""Stopping may take that long; then the process ends whatever still hangs. systemd's kill would come much later."""
SOUND_S: Final = 2.0
"""A sound system that hangs is left behind after that; its thread never comes back, and so does no harm."""


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    p = subparsers.add_parser("run", help="the daemon: listen, answer and move until stopped")
    options.add_config(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    def load() -> Settings:
        return with_model_folders(options.settings_of(args), os.environ)

    def last_second() -> None:
        end_after(END_S)

    settings = load()
    faulthandler.enable()  # a library that crashes leaves its stack in the log
    try:
        return asyncio.run(serve(settings, load, on_stopping=last_second))
    finally:
        # Told to end while it starts, PortAudio may just be looking for devices on a thread of its own. Without an
        # interpreter behind it that crashes.
        shared_host().settle(SOUND_S)
        gc.unfreeze()  # or nothing is taken apart, and soxr's binding reports twenty lines of leaks with every stop


async def serve(
    settings: Settings, load: Callable[[], Settings], *, on_stopping: Callable[[], None] = lambda: None
) -> int:
    """The daemon's life with log and systemd around it. Raises ClaudiaError at start."""
    output = configure_logging(settings)

    def reconfigure(new: Settings) -> None:
        nonlocal output
        output = configure_logging(new)

    def tell_repeats() -> None:
        output.tell_repeats()

    notifier = Notifier.from_environment()
    daemon = Daemon(
        settings,
        load,
        notifier,
        on_settings=reconfigure,
        on_stopping=on_stopping,
        on_look=tell_repeats,
    )
    try:
        await daemon.run()
    finally:
        notifier.close()
    return 0


def configure_logging(settings: Settings) -> logs.Output:
    """The log as the settings want it (docs/logging.md)."""
    return logs.configure(settings.log.level, log_speech=settings.privacy.log_speech)


def end_after(seconds: float, end: Callable[[int], object] = os._exit) -> threading.Timer:
    """End the process when stopping hangs: a recogniser that never returns would hold it for good.

    The robot was stopped when stopping began, audit and log keep nothing back; so nothing is lost, and the status is 0.
    """

    def hanging() -> None:
        log.error("not everything stopped in %g s: ended all the same", seconds, extra={"journal": _HANGS})
        for name, text in stacks(None):
            log.error("%s\n%s", name, text, extra={"journal": STACK.fields(CLAUDIA_STAGE="shutdown")})
        end(0)

    timer = threading.Timer(seconds, hanging)
    timer.name, timer.daemon = "last second", True
    timer.start()
    return timer


_HANGS: Final = STALLED.fields(CLAUDIA_STAGE="shutdown")
