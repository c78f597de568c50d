"""A turn as journal fields: the facts of its line, each by itself, so that `journalctl` can be asked for them."""

from __future__ import annotations

from typing import Final

from claudiad.app.ledger import TurnRecord
from claudiad.service.events import DROPPED, REFUSED, STOP, TURN, Event, Fields, Value

_TIMES: Final = {
    "endpoint": "CLAUDIA_ENDPOINT_MS",
    "stt": "CLAUDIA_STT_MS",
    "decide": "CLAUDIA_DECIDE_MS",
    "speech_end_to_transcript": "CLAUDIA_SPEECH_TO_TRANSCRIPT_MS",
    "speech_end_to_first_token": "CLAUDIA_SPEECH_TO_FIRST_TOKEN_MS",
    "speech_end_to_dispatch": "CLAUDIA_SPEECH_TO_MOVE_MS",
    "speech_end_to_first_audio": "CLAUDIA_SPEECH_TO_SOUND_MS",
    "speech_end_to_stop": "CLAUDIA_SPEECH_TO_STOP_MS",
    "speech_end_to_done": "CLAUDIA_SPEECH_TO_DONE_MS",
}


def turn_fields(turn: TurnRecord, *, log_speech: bool) -> Fields:
    """For `extra={"journal": …}` of the turn's line. Without `log_speech` they hold no spoken word."""
    optional: dict[str, Value] = {
        "CLAUDIA_DROPPED": turn.dropped or "",
        "CLAUDIA_MODEL": turn.model,
        "CLAUDIA_HEARD": turn.transcript if log_speech else "",
        "CLAUDIA_REPLY": turn.reply if log_speech else "",
    }
    return (
        event_of(turn).fields(CLAUDIA_TURN=turn.turn, CLAUDIA_ROUTE=turn.route, CLAUDIA_KIND=turn.kind)
        | {
            "CLAUDIA_ACTIONS": [step.action.name for step in turn.steps],
            "CLAUDIA_OUTCOMES": [step.outcome for step in turn.steps],
            "CLAUDIA_REFUSED": [each.refusal.name for each in turn.refused],
            "CLAUDIA_REPAIRS": list(turn.repairs),
        }
        | {name: value for name, value in optional.items() if value}
        | {_TIMES[stage]: ms for stage, ms in turn.timings_ms.items() if stage in _TIMES}
    )


def event_of(turn: TurnRecord) -> Event:
    """What somebody who looks for it would call it."""
    if turn.dropped is not None:
        return DROPPED
    if turn.route == "emergency":
        return STOP
    return REFUSED if turn.refused else TURN
