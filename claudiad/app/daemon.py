"""The running daemon: start, signals, reload, end; what it tells systemd.

SIGTERM and SIGINT end it: the robot and the voice first, then everything in the reverse order of its start. SIGHUP
reads the configuration again (`claudiad.app.reload`): a conversation with the new settings takes over between two
turns, on the same microphone, which loses nothing meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as NoReport
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from claudiad import __version__
from claudiad.app.controls import DaemonControls
from claudiad.app.conversation import Conversation
from claudiad.app.daemon_status import status_line
from claudiad.app.ears import Ears
from claudiad.app.handover import FRAMES_S, HandedOver
from claudiad.app.ledger import TurnRecord
from claudiad.app.parts import Parts, assemble, ended
from claudiad.app.reload import change, renewed
from claudiad.app.settings_checks import wakes
from claudiad.app.state import audit_directory
from claudiad.audio.build import microphone_for, speaker_for
from claudiad.clock import SystemClock
from claudiad.config import Settings
from claudiad.control.address import SOCKET, own_directory
from claudiad.control.server import ControlServer
from claudiad.errors import Busy, ClaudiaError, ConfigError, DataError
from claudiad.service.events import READY, RELOAD_REFUSED, RELOADED, STARTING, STOPPED, STOPPING
from claudiad.service.health import Health, Reading, read_health
from claudiad.service.heartbeats import Heartbeats, Stalled
from claudiad.service.notify import Notifier
from claudiad.service.watchdog import Watchdog
from claudiad.service.watched import WatchedRecogniser

log = logging.getLogger(__name__)

MODEL_S: Final = 600.0
"""Loading and warming a speech model may take that long: a large one on a Jetson's flash card."""
STEP_S: Final = 120.0
"""Any other step of the start."""
LOOK_S: Final = 5.0
"""Between two looks at the computer and the status line."""
BETWEEN_TURNS_S: Final = 20.0
"""A reload waits so long for the end of what is being said and done."""
STOP_REPORT_S: Final = 0.3
"""A stalled daemon waits so long for the robot's report that it stands, before it asks to be restarted."""


class Daemon:
    """One life of the daemon. All of it belongs to the event loop."""

    def __init__(
        self,
        settings: Settings,
        load: Callable[[], Settings],
        notifier: Notifier,
        *,
        on_settings: Callable[[Settings], None] = lambda _: None,
        on_stopping: Callable[[], None] = lambda: None,
        on_look: Callable[[], None] = lambda: None,
    ) -> None:
        """Args: `load` reads the configuration again, raising ClaudiaError; `on_settings` hears of new settings,
        `on_stopping` that the end begins, `on_look` of every look at the computer."""
        self._settings = settings
        self._load = load
        self._notifier = notifier
        self._on_settings = on_settings
        self._on_stopping = on_stopping
        self._on_look = on_look
        self._clock = SystemClock()
        self._heartbeats = Heartbeats()
        self._stopping = asyncio.Event()
        self._reloading = asyncio.Event()
        self._asked_for: list[asyncio.Future[None]] = []
        """Who waits for the reload."""
        self._health = Health()
        self._reading: Reading | None = None
        self._last: TurnRecord | None = None
        self._told = ""
        self._parts: Parts | None = None
        """None: not ready, or over."""
        self._microphone: HandedOver | None = None
        self._controls: DaemonControls | None = None

    def stop(self) -> None:
        """End it: what SIGTERM does."""
        self._stopping.set()

    def reload(self) -> None:
        """Read the configuration again: what SIGHUP does. During the start it is done behind it."""
        self._reloading.set()

    async def reloaded(self) -> None:
        """`reload`, and wait for what comes of it. Raises ClaudiaError where the new configuration is refused."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked_for.append(answer)
        self.reload()
        await answer

    async def run(self) -> None:
        """Start everything, listen until `stop` or the microphone's end, stop everything. Raises ClaudiaError."""
        loop = asyncio.get_running_loop()
        # Before anything is loaded: a signal during the start ends it just as cleanly.
        for number, act in ((signal.SIGTERM, self.stop), (signal.SIGINT, self.stop), (signal.SIGHUP, self.reload)):
            loop.add_signal_handler(number, act)
        log.info("claudiad %s starting", __version__, extra={"journal": STARTING.fields(CLAUDIA_VERSION=__version__)})
        work = asyncio.create_task(self._serve(), name="serve")
        waiting = asyncio.create_task(self._stopping.wait(), name="signal")
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        if not work.done():
            self._on_stopping()
            self._hush()
            log.info("stopping", extra={"journal": STOPPING.fields()})
            self._notifier.stopping()
            work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        log.info("stopped", extra={"journal": STOPPED.fields()})

    def status(self) -> str:
        """In one line; without a spoken word."""
        if self._parts is None or self._microphone is None:
            return "starting"
        return status_line(self._parts, self._microphone.stats, self._last, self._reading)

    def _hush(self) -> None:
        """At once, whatever the parts take for their end: the robot stands and the voice is silent."""
        if self._parts is None:
            return
        dispatcher = self._parts.dispatcher
        if dispatcher.running is not None or dispatcher.unsettled:
            self._parts.lane.request("shutdown")
        self._parts.mouth.cancel()

    async def _serve(self) -> None:
        settings, clock, began = self._settings, self._clock, self._clock.now()
        async with AsyncExitStack() as stack:
            speaker = speaker_for(settings.audio, clock)
            stack.push_async_callback(speaker.close)
            self._notifier.loading(f"loading the speech model {settings.stt.model}", MODEL_S)
            ears = await asyncio.to_thread(Ears.open, settings.stt)
            stack.push_async_callback(ears.close)
            self._watch(ears)
            await ears.warm()
            parts = await stack.enter_async_context(
                assemble(
                    settings,
                    clock,
                    speaker=speaker,
                    ears=ears,
                    heartbeats=self._heartbeats,
                    on_step=lambda step: self._notifier.loading(step, STEP_S),
                )
            )
            self._parts = parts
            stack.callback(self._over)
            # Not before: while tables and models load, its thread would come too late again and again.
            await speaker.open()
            microphone = HandedOver(microphone_for(settings.audio, clock))
            await stack.enter_async_context(microphone)
            self._microphone = microphone
            self._controls = DaemonControls(parts, microphone.stats, self.reloaded)
            await stack.enter_async_context(ControlServer(self._controls, control_socket(os.environ)))
            watchdog = Watchdog(self._heartbeats, self._notifier, asyncio.get_running_loop(), self._stop_robot)
            if settings.audio.microphone != "none":
                allowed_s = FRAMES_S + (settings.audio.stale_ms + settings.audio.reopen_ms) / 1000
                self._heartbeats.observe("frames", allowed_s, lambda: microphone.progress)
            watchdog.start()
            stack.push_async_callback(asyncio.to_thread, watchdog.close)
            looking = asyncio.create_task(self._look(), name="health")
            stack.push_async_callback(ended, looking)
            seconds = clock.now() - began
            log.info("%s", ready_line(parts, seconds), extra={"journal": READY.fields(CLAUDIA_START_S=seconds)})
            self._told = self.status()
            self._notifier.ready(self._told)
            await self._converse(parts, microphone)

    def _watch(self, ears: Ears) -> None:
        """From now on every recognition is a heartbeat."""
        alone = ears.stop is ears.main
        ears.main = WatchedRecogniser(ears.main, self._heartbeats, "recognition")
        ears.stop = ears.main if alone else WatchedRecogniser(ears.stop, self._heartbeats, "stop listener")

    async def _converse(self, parts: Parts, microphone: HandedOver) -> None:
        """One conversation after the other, until the microphone ends."""
        turns = 0
        while True:
            conversation = Conversation(
                parts, microphone, self._on_turn, heartbeats=self._heartbeats, first_turn=turns + 1
            )
            if self._controls is not None:
                self._controls.attend(parts, conversation)
            running = asyncio.create_task(conversation.run(), name="conversation")
            try:
                following = await self._until_reloaded(parts, conversation, running)
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running
            if following is None:
                return
            if parts.audit is not None and parts.audit is not following.audit:
                parts.audit.close()
            self._parts = parts = following
            turns = conversation.turns

    async def _until_reloaded(
        self, parts: Parts, conversation: Conversation, running: asyncio.Task[None]
    ) -> Parts | None:
        """The parts for the next conversation, once this one may be ended; None when it has ended by itself."""
        while True:
            asked = asyncio.create_task(self._reloading.wait(), name="reload")
            try:
                await asyncio.wait({running, asked}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                asked.cancel()
            if running.done():
                return None
            self._reloading.clear()
            asked_for, self._asked_for = self._asked_for, []
            following, refused = await self._reload(parts, conversation, running)
            # Also after a refusal, or `systemctl reload` would wait for ever.
            self._told = self.status()
            self._notifier.ready(self._told)
            for answer in asked_for:
                if not answer.done():
                    answer.set_exception(refused) if refused is not None else answer.set_result(None)
            if following is not None:
                return following

    async def _reload(
        self, parts: Parts, conversation: Conversation, running: asyncio.Task[None]
    ) -> tuple[Parts, None] | tuple[None, ClaudiaError]:
        """Judge the new configuration and make the parts for it; refused, the old one stays in force."""
        self._notifier.reloading()
        try:
            changed = change(parts.settings, await asyncio.to_thread(self._load))
            following = await asyncio.to_thread(renewed, parts, changed.settings)
            await self._between_turns(conversation, running)
        except (ClaudiaError, OSError) as error:
            fault = error if isinstance(error, ClaudiaError) else DataError(str(error))
            for line in str(fault).splitlines():
                log.error("reload refused: %s", line, extra={"journal": RELOAD_REFUSED.fields(CLAUDIA_REASON=line)})
            return None, fault
        self._settings = changed.settings
        self._on_settings(changed.settings)
        log.info(
            "settings reloaded: %s",
            changed,
            extra={
                "journal": RELOADED.fields(CLAUDIA_CHANGED=changed.applied, CLAUDIA_NEED_RESTART=changed.need_restart)
            },
        )
        return following, None

    async def _between_turns(self, conversation: Conversation, running: asyncio.Task[None]) -> None:
        """Wait until nothing is said, done or spoken. Raises Busy when that does not come."""
        end = self._clock.now() + BETWEEN_TURNS_S
        while not (conversation.idle or running.done()):
            if self._clock.now() > end:
                raise Busy(f"it has been spoken to, or has moved, for {BETWEEN_TURNS_S:.0f} s: try again")
            await self._clock.sleep(0.05)

    def _on_turn(self, record: TurnRecord) -> None:
        self._last = record
        if self._controls is not None:
            self._controls.note(record)
        self._tell()

    def _tell(self) -> None:
        if (status := self.status()) != self._told:
            self._told = status
            self._notifier.status(status)

    async def _look(self) -> None:
        """At the computer, now and then; it tells what is short, and the status what has changed."""
        while True:
            try:
                self._reading = await asyncio.to_thread(read_health, audit_directory(self._settings))
                for remark in self._health.note(self._reading):
                    log.log(remark.level, "%s", remark.text, extra={"journal": remark.event.fields(**remark.fields)})
                self._on_look()
                self._tell()
            except Exception:
                log.exception("the look at the computer failed")
            await self._clock.sleep(LOOK_S)

    def _stop_robot(self, stalled: Stalled) -> None:
        """On the watchdog's thread: the stop lane needs neither the event loop nor what hangs."""
        parts = self._parts
        if parts is not None:
            with contextlib.suppress(NoReport):
                parts.lane.request(f"watchdog: {stalled.stage}").result(STOP_REPORT_S)

    def _over(self) -> None:
        if self._parts is not None and self._parts.audit is not None:
            self._parts.audit.close()
        self._parts = None


def control_socket(environ: Mapping[str, str]) -> Path:
    """Where `claudiactl` finds it. Raises ConfigError where there is no place for a socket."""
    folder = own_directory(environ, os.getuid())
    if folder is None:
        raise ConfigError(
            ["no place for the control socket: set XDG_RUNTIME_DIR (a login session has it), or start the unit"]
        )
    return folder / SOCKET


def ready_line(parts: Parts, seconds: float) -> str:
    """What is running, in one line, once."""
    s = parts.settings
    return (
        f"claudiad {__version__} ready in {seconds:.1f} s: hearing {parts.ears.main.name}, robot {parts.robot.name}, "
        f"microphone {s.audio.microphone}, speaker {s.audio.speaker} (output latency "
        f"{parts.speaker.latency_s * 1000:.0f} ms), {'wake phrase on' if wakes(s) else 'no wake phrase'}"
    )
