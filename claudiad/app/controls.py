"""A running daemon as its control socket sees it: `claudiad.control.commands.Controls` on parts and conversation."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Protocol

from claudiad import __version__
from claudiad.app.ledger import TurnRecord
from claudiad.app.output import action_json, refusal_json
from claudiad.app.parts import Parts
from claudiad.app.turn_counts import TurnCounts
from claudiad.audio.microphone import CaptureStats
from claudiad.brain.emergency import StopFinder
from claudiad.brain.wording import RELEASED
from claudiad.control.wire import JsonObject
from claudiad.errors import Busy, DataError, RobotError
from claudiad.llm.speakable import speakable
from claudiad.purity.filter import purify
from claudiad.robot.stop_lane import StopReport
from claudiad.service.usage import Usage
from claudiad.tts.clauses import clauses

NOTHING_TO_SAY = "nothing of it can be spoken: it is no Japanese, or it would stop the robot itself"


class Talk(Protocol):
    """What a conversation lets somebody do who types."""

    @property
    def turns(self) -> int:
        """Turns begun so far."""
        ...

    @property
    def muted(self) -> bool:
        """What is heard is taken for nothing but stops."""
        ...

    def mute(self, *, muted: bool) -> None:
        """Set it."""
        ...

    async def ask(self, text: str) -> TurnRecord:
        """Do what a typed sentence says, and wait for the turn's end. Raises Busy when too many wait."""
        ...

    async def stop(self, reason: str) -> StopReport:
        """End every turn, stop the robot, close the latch, and say so; returns with the robot's answer."""
        ...

    def remark(self, text: str) -> None:
        """Say something that belongs to no turn."""
        ...


class DaemonControls:
    """One per daemon. `attend` has to be told of each conversation, `note` of every turn's record."""

    def __init__(self, parts: Parts, capture: CaptureStats, reload: Callable[[], Awaitable[None]]) -> None:
        """Args: `capture` are the microphone's live numbers; `reload` raises ConfigError for one it refuses."""
        self._parts = parts
        self._conversation: Talk | None = None
        self._muted = False
        self._capture = capture
        self._reload = reload
        self._began = parts.clock.now()
        self._counts = TurnCounts()
        self._last: tuple[TurnRecord, float] | None = None

    def attend(self, parts: Parts, conversation: Talk) -> None:
        """From now on it is this one: after the start, and after each reload. Muted it stays."""
        self._parts, self._conversation = parts, conversation
        conversation.mute(muted=self._muted)

    def note(self, record: TurnRecord) -> None:
        """A turn is over."""
        self._counts.note(record, self._parts.settings.turn)
        self._last = record, self._parts.clock.now()

    async def status(self) -> JsonObject:
        """See `Controls`; everybody in the group may read it, so it has no word of what was said."""
        parts, lane = self._parts, self._parts.lane
        robot = parts.robot.state()
        return {
            "version": __version__,
            "pid": os.getpid(),
            "uptime_s": self._since(self._began),
            "state": self._state(),
            "turns": self._talk.turns,
            "last_turn": self._last_turn(),
            "robot": {
                "engine": parts.robot.name,
                "posture": robot.posture.value,
                "battery": robot.battery,
                "running": parts.dispatcher.running,
                "age_ms": round(robot.age_ms) if robot.age_ms < _NEVER_MS else None,
                "latched": lane.latched,
                "stop_unconfirmed": lane.unconfirmed,
                "moved_by_others": parts.robot.foreign,
            },
            "microphone": self._microphone(),
            "speaker": {"device": parts.settings.audio.speaker, "speaking": parts.mouth.speaking},
            "models": parts.models.status() if parts.models is not None else None,
            "audit_lost": parts.audit.dropped if parts.audit is not None else None,
        }

    async def ask(self, text: str) -> JsonObject:
        """See `Controls`."""
        record = await self._talk.ask(text)
        if record.dropped is not None:
            raise RobotError(f"nothing was done: {record.dropped}; the daemon's log says why")
        return {
            "text": text,
            "turn": record.turn,
            "route": record.route,
            "kind": record.kind,
            "actions": [action_json(step.action) | {"outcome": step.outcome} for step in record.steps],
            "refused": [refusal_json(each.refusal) for each in record.refused],
            "reply": record.reply,
            "confidence": round(record.confidence, 3),
            "timings_ms": dict(record.timings_ms),
        }

    async def say(self, text: str) -> JsonObject:
        """See `Controls`; stop words are reworded: the robot's own voice must not stop it."""
        clean, repairs = await asyncio.to_thread(spoken_form, text, self._parts.stops)
        if not clean:
            raise DataError(NOTHING_TO_SAY)
        spoken = await self._parts.mouth.say(clean)
        return {
            "text": text,
            "clean": clean,
            "repairs": repairs,
            "spoken": "".join(spoken.spoken),
            "interrupted": spoken.interrupted,
        }

    async def stop(self, by: str) -> JsonObject:
        """See `Controls`."""
        reason = f"claudiactl stop, {by}"
        self._parts.lane.request(reason, latch=True)  # before anything that could fail
        report = await self._talk.stop(reason)
        return {
            "acknowledged": report.acknowledged,
            "attempts": report.attempts,
            "elapsed_ms": round(report.elapsed_ms, 3),
            "latched": self._parts.lane.latched,
        }

    async def reset(self, by: str) -> JsonObject:
        """See `Controls`."""
        was = self._parts.lane.latched
        self._parts.lane.reset()
        if was:
            self._talk.remark(RELEASED)
        return {"was_latched": was, "latched": self._parts.lane.latched}

    async def mute(self, *, muted: bool) -> JsonObject:
        """See `Controls`."""
        self._talk.mute(muted=muted)
        self._muted = self._talk.muted
        return {"muted": self._muted}

    async def reload(self, by: str) -> JsonObject:
        """See `Controls`."""
        await self._reload()
        return {"reloaded": True}

    async def stats(self) -> JsonObject:
        """See `Controls`."""
        usage = asdict(Usage.now()) | {"tasks": len(asyncio.all_tasks())}
        return {"uptime_s": self._since(self._began), **self._counts.to_json(), "process": usage}

    @property
    def _talk(self) -> Talk:
        if self._conversation is None:
            raise Busy("the daemon is still starting")
        return self._conversation

    def _state(self) -> str:
        parts = self._parts
        if parts.lane.latched:
            return "stopped"
        if parts.dispatcher.running is not None:
            return "moving"
        if parts.mouth.speaking:
            return "speaking"
        if self._capture.state != "open":
            return "deaf"
        return "muted" if self._talk.muted else "listening"

    def _microphone(self) -> JsonObject:
        c = self._capture
        return {
            "device": c.device,
            "state": c.state,
            "muted": self._talk.muted,
            "only_zeros": c.silent_zeros,
            "overflow_samples": c.overflow_samples,
            "reopened": c.reopened,
        }

    def _last_turn(self) -> dict[str, Any] | None:
        if self._last is None:
            return None
        record, at = self._last
        return {
            "turn": record.turn,
            "route": record.route,
            "dropped": record.dropped,
            "actions": [step.title for step in record.steps],
            "refused": [each.title for each in record.refused],
            "timings_ms": dict(record.timings_ms),
            "ago_s": self._since(at),
        }

    def _since(self, at: float) -> float:
        return round(self._parts.clock.now() - at, 1)


_NEVER_MS = 1e9
"""A robot that has not reported yet has an infinite age, for which JSON has no number."""


def spoken_form(text: str, stops: StopFinder) -> tuple[str, list[str]]:
    """What of a text may be said aloud, and the kinds of what was changed in it. Pure."""
    whole = purify(text)
    said = [speakable(clause, stops) for clause in clauses(whole.clean or "")]
    changed = [*whole.repairs, *(kind for each in said for kind in each.repairs)]
    return "".join(each.text for each in said), list(dict.fromkeys(changed))
