"""Every kind of event that has a fixed MESSAGE_ID in the journal, and how to tell which one a log line is.

`journalctl -x` explains each from `claudiad/data/claudiad.catalog`; docs/logging.md lists them. A line is given its
event where it is logged (`extra={"journal": TURN.fields(CLAUDIA_TURN=1)}`), or, in modules that need not know of a
journal, by its template in `KNOWN`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

Value: TypeAlias = str | int | float
Fields: TypeAlias = Mapping[str, Value | Sequence[Value]]
"""Journal fields: names in capitals; a sequence is the same field several times, so that each value can be asked for
(`journalctl CLAUDIA_ACTIONS=Hello`)."""


@dataclass(frozen=True, slots=True)
class Event:
    """A kind of event; `id` never changes, whatever becomes of the words."""

    id: str
    name: str

    def fields(self, **others: Value | Sequence[Value]) -> dict[str, Value | Sequence[Value]]:
        """The journal fields of one such event."""
        return {"MESSAGE_ID": self.id, **others}


STARTING: Final = Event("67ced9fbf434424d89c4b21d75d81336", "starting")
READY: Final = Event("817808319b3c4c4c96b35248d58a8bfb", "ready")
STOPPING: Final = Event("9971af0ce503462aa5a68f120f123d29", "stopping")
STOPPED: Final = Event("a6997d90f8384093b5c2e7310ac5af58", "stopped")
RELOADED: Final = Event("70d89ad5919a4ab8b9c5a2082ab3d587", "settings reloaded")
RELOAD_REFUSED: Final = Event("fd26c65db78848e08bb57c933c2328b4", "reload refused")
TURN: Final = Event("9cf014da4dc84535bb6bdb86fb749698", "turn")
DROPPED: Final = Event("7c6f58dbc73541e5aa58f8b36c5976fa", "turn dropped")
REFUSED: Final = Event("6b019e521f7447d39bd296937ed69269", "action refused")
STOP: Final = Event("387e4ffbee9a41ddb89a686805f96ecb", "stop")
TURN_FAILED: Final = Event("e1f314c17d524b1abc25595063abe7be", "turn failed")
OVER_BUDGET: Final = Event("2372566c5f15442cba50bda8a9548861", "over budget")
STOP_UNACKNOWLEDGED: Final = Event("dc793640b6944dfaba2e856cb7bc13be", "stop not acknowledged")
LATCH_UNSAVED: Final = Event("3603a915b0284b07843f0b0ec16de831", "latch not saved")
MICROPHONE_LOST: Final = Event("ad44cc524bdb4eaf84aa58776a2726fa", "microphone lost")
MICROPHONE_OPEN: Final = Event("53b042bf5b864c64a1b697a00272f859", "microphone open")
MICROPHONE_SILENT: Final = Event("cd323e51abc94e4ab62ff5ee6f317843", "microphone silent")
MICROPHONE_OVERFLOW: Final = Event("4c3662da69cf4c08817d81392346001b", "microphone overflow")
SPEAKER_LOST: Final = Event("5c640d8288944f429581405875641791", "speaker lost")
SPEAKER_OPEN: Final = Event("4ff5d739b4a043ed87c4613b04322995", "speaker open")
TOO_SLOW: Final = Event("2a58b869f8d24589bc557c50efac90de", "recognition too slow")
VOICE_FAILED: Final = Event("5bef3e13686b40678636833dfea1760a", "voice failed")
OTHER_CONTROLLER: Final = Event("88a4a8e1860144ba9914212d25de800f", "other controller")
ROBOT_MISSING: Final = Event("04ccf79cc65d4473aa716d74e9c361aa", "robot missing")
AUDIT_FAILING: Final = Event("7ee61f7fe869414fbed579d849e6b304", "audit log failing")
AUDIT_WORKS: Final = Event("af951222961c4c3db0a6f1c021bfd3a7", "audit log works")
OLLAMA: Final = Event("d89566ec50c94820ba267224f1d0c4d1", "Ollama")
MODEL_SPEED: Final = Event("4e7a9838505c40378fa742a0b1a5440c", "model speed")
STALLED: Final = Event("bbf75df46c3c4f89868106129e90aad3", "stalled")
STACK: Final = Event("75e3918aff364879a414003317f7e3bb", "stack")
LOW_MEMORY: Final = Event("93b23df4043248eeb6188191fb5a4a9e", "low memory")
DISK_FULL: Final = Event("979e2620c2f74be4a7248c19b475ae2e", "disk full")
HOT: Final = Event("03f01f343ef54b8f999e6938323f4377", "hot")
CLOCK_SET: Final = Event("59efabf5a7cd4fcd8c611c2b50e65161", "clock set")
REPEATED: Final = Event("6e0db38213d94bcc84c52a0ceca04073", "repeated")

EVENTS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Event))
"""All of them."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a line of another module is."""

    event: Event | None
    fields: tuple[str | None, ...] = ()
    """Names for its arguments, in their order; None: no field."""
    speech: frozenset[int] = frozenset()
    """Places of arguments that hold words somebody said or was answered: not for a log without speech."""


_ANSWER: Final = Known(None, speech=frozenset({0}))

KNOWN: Final[Mapping[tuple[str, str], Known]] = {
    ("claudiad.app.conversation", "turn %d failed; the robot is stopped"): Known(TURN_FAILED, ("CLAUDIA_TURN",)),
    ("claudiad.app.conversation", "turn %d: %s"): Known(OVER_BUDGET, ("CLAUDIA_TURN",)),
    ("claudiad.app.conversation", "recognition cannot keep up: an utterance was dropped (%s)"): Known(TOO_SLOW),
    ("claudiad.app.conversation", "somebody else moves the robot (app or remote control): yielding"): Known(
        OTHER_CONTROLLER
    ),
    ("claudiad.app.language_models", "%s"): Known(MODEL_SPEED),
    ("claudiad.llm.residency", "%s"): Known(OLLAMA),
    ("claudiad.audio.device", "microphone %s is lost: %s; it is being reopened"): Known(
        MICROPHONE_LOST, ("CLAUDIA_DEVICE", "CLAUDIA_REASON")
    ),
    ("claudiad.audio.device", "no microphone: %s; looking again every %d ms"): Known(
        MICROPHONE_LOST, ("CLAUDIA_REASON",)
    ),
    ("claudiad.audio.device", "microphone %s: %d Hz, %d channels"): Known(MICROPHONE_OPEN, ("CLAUDIA_DEVICE",)),
    ("claudiad.audio.device", "microphone %s: %d samples lost so far, the daemon is too slow"): Known(
        MICROPHONE_OVERFLOW, ("CLAUDIA_DEVICE",)
    ),
    (
        "claudiad.audio.device",
        "microphone %s delivers only zeros: it is muted, at volume 0, or its driver does not work "
        "(a Jetson's plughw does this); unmute it (alsamixer, pactl) or name another in [audio] microphone",
    ): Known(MICROPHONE_SILENT, ("CLAUDIA_DEVICE",)),
    ("claudiad.audio.device_out", "speaker %s is lost: %s"): Known(SPEAKER_LOST, ("CLAUDIA_DEVICE", "CLAUDIA_REASON")),
    ("claudiad.audio.device_out", "no speaker: %s; nothing is heard until there is one"): Known(
        SPEAKER_LOST, ("CLAUDIA_REASON",)
    ),
    ("claudiad.audio.device_out", "speaker %s: %d Hz, %d channels, %.0f ms"): Known(SPEAKER_OPEN, ("CLAUDIA_DEVICE",)),
    ("claudiad.tts.mouth", "voice %s left out %r: %s"): Known(
        VOICE_FAILED, (None, None, "CLAUDIA_REASON"), frozenset({1})
    ),
    ("claudiad.tts.mouth", "cannot render %r ahead of time: %s"): _ANSWER,
    ("claudiad.tts.mouth", "no room to keep %r ready: it is synthesised when it is said"): _ANSWER,
    ("claudiad.robot.stop_lane", "stop (%s) not acknowledged after %d attempts"): Known(STOP_UNACKNOWLEDGED),
    ("claudiad.robot.latch", "the stop holds, but would not survive a restart: %s"): Known(
        LATCH_UNSAVED, ("CLAUDIA_REASON",)
    ),
    ("claudiad.robot.go2.adapter", "no Go2 reports anything on %s yet; it will be found when it does"): Known(
        ROBOT_MISSING, ("CLAUDIA_INTERFACE",)
    ),
    ("claudiad.service.audit", "audit log %s cannot be written, records are being lost: %s"): Known(
        AUDIT_FAILING, (None, "CLAUDIA_REASON")
    ),
    ("claudiad.service.audit", "audit log works again; %d records were lost since the start"): Known(
        AUDIT_WORKS, ("CLAUDIA_LOST",)
    ),
}
"""Logger and template → event. A test holds every key against the source: a line that is reworded must be here too."""
