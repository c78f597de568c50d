"""JSON objects of the command contract (docs/commands.md): one per line of text, one per recording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from claudiad.app.ledger import TurnRecord
from claudiad.types import Action, Decision, Refusal


def action_json(action: Action) -> dict[str, Any]:
    """name, api_id, params, and `inserted` only where safety put it there."""
    out: dict[str, Any] = {"name": action.name, "api_id": action.api_id, "params": dict(action.params)}
    if action.inserted:
        out["inserted"] = True
    return out


def refusal_json(refusal: Refusal) -> dict[str, Any]:
    return {"name": refusal.name, "api_id": refusal.api_id, "reason": refusal.reason}


def decision_json(
    decision: Decision, steps: Sequence[Action], refused: Sequence[Refusal], reply: str, timings_ms: dict[str, float]
) -> dict[str, Any]:
    """One `ask` object."""
    return {
        "text": decision.text,
        "route": decision.route,
        "kind": decision.kind,
        "actions": [action_json(a) for a in steps],
        "refused": [refusal_json(r) for r in refused],
        "reply": reply,
        "confidence": round(decision.confidence, 3),
        "timings_ms": timings_ms,
    }


def recording_json(name: str, records: Sequence[TurnRecord]) -> dict[str, Any]:
    """One `hear` object: everything heard in one recording, lists and transcripts joined.

    Route, kind and confidence are those of the utterance that did most: the first with actions, else the
    first that was answered, else the first. `dropped` is null as soon as one utterance was not dropped.
    """
    first = next(
        (r for want in (lambda r: r.steps, lambda r: r.dropped is None, lambda _: True) for r in records if want(r)),
        None,
    )
    if first is None:
        return {
            "text": "", "transcript": "", "reading": "", "file": name, "route": "none", "kind": "none", "actions": [],
            "refused": [], "reply": "", "confidence": 0.0, "oov": None, "dropped": "silence", "utterances": 0,
            "timings_ms": {"decide": 0.0},
        }  # fmt: skip
    transcript = " ".join(r.transcript for r in records if r.transcript)
    return {
        "text": transcript,
        "transcript": transcript,
        "reading": " ".join(r.reading for r in records if r.reading),
        "file": name,
        "route": first.route,
        "kind": first.kind,
        "actions": [action_json(s.action) for r in records for s in r.steps],
        "refused": [refusal_json(s.refusal) for r in records for s in r.refused],
        "reply": "".join(r.reply for r in records),
        "confidence": round(first.confidence, 3),
        "oov": round(first.oov, 3),
        "dropped": first.dropped,
        "utterances": sum(r.utterances for r in records),
        "timings_ms": dict(first.timings_ms),
    }
