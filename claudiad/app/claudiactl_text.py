"""What `claudiactl` shows people. Pure: an answer in, lines out. What a newer daemon leaves out is left out here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from claudiad.control.wire import Command, JsonObject

_PHRASES = {
    "speech_end_to_dispatch": "first move",
    "speech_end_to_first_audio": "first sound",
    "speech_end_to_stop": "stop",
    "speech_end_to_first_token": "first token",
    "stt": "recognition",
    "decide": "decision",
}


def lines_of(command: Command, reply: JsonObject) -> Iterator[str]:
    """What to print for an answer to this command."""
    if command == "status":
        return _status(reply)
    if command == "ask":
        return asked_lines(reply)
    if command == "stats":
        return _stats(reply)
    return iter([_short(command, reply)])


def _short(command: Command, reply: JsonObject) -> str:
    if command == "stop":
        if not reply.get("acknowledged"):
            return "stop sent; the robot has not acknowledged it yet, and it is being repeated"
        return f"stopped after {reply.get('elapsed_ms', 0):.0f} ms; nothing moves until `claudiactl reset`"
    if command == "reset":
        return "it may move again" if reply.get("was_latched") else "nothing was held: it may move"
    if command == "say":
        cut = " (interrupted)" if reply.get("interrupted") else ""
        return f"「{reply.get('clean', '')}」{cut}"
    return {
        "mute": "muted: only stops are heard",
        "unmute": "listening again",
        "reload": "the configuration was read again",
    }.get(command, "done")


def asked_lines(reply: JsonObject) -> Iterator[str]:
    """What became of some text: what it was taken for, what was done or refused, and the reply."""
    done = ", ".join(call_text(each) for each in reply.get("actions", []))
    yield f"{reply.get('text', '')} → {reply.get('route', '')}" + (f" → {done}" if done else "")
    for each in reply.get("refused", []):
        yield f"  refused {each.get('name', '')}: {each.get('reason', '')}"
    if reply.get("reply"):
        yield f"  「{reply['reply']}」"


def call_text(action: dict[str, Any]) -> str:
    """Sit, `move x=1`, StandUp+ where safety put it there, and what became of it unless it was done."""
    params = "".join(f" {name}={value:g}" for name, value in action.get("params", {}).items())
    outcome = action.get("outcome", "done")
    ended = "" if outcome == "done" else f" ({outcome})"
    return f"{action.get('name', '')}{params}{'+' if action.get('inserted') else ''}{ended}"


def _status(reply: JsonObject) -> Iterator[str]:
    pid, up = reply.get("pid", "?"), duration(reply.get("uptime_s", 0))
    yield f"claudiad {reply.get('version', '?')}, process {pid}, up {up}: {reply.get('state', '?')}"
    yield f"robot       {_robot(reply.get('robot') or {})}"
    yield f"microphone  {_microphone(reply.get('microphone') or {})}"
    speaker = reply.get("speaker") or {}
    yield f"speaker     {speaker.get('device', '?')}" + (", speaking" if speaker.get("speaking") else "")
    yield f"models      {reply.get('models') or 'no language model is asked'}"
    if last := reply.get("last_turn"):
        yield f"last turn   {_turn(last)}, {duration(last.get('ago_s', 0))} ago, of {reply.get('turns', '?')}"
    if lost := reply.get("audit_lost"):
        yield f"audit log   {lost} records could not be written"


def _robot(robot: dict[str, Any]) -> str:
    said = [f"{robot.get('engine', '?')}: {robot.get('posture', '?')}, battery {robot.get('battery', '?')} %"]
    if robot.get("age_ms") is None:
        said.append("it has not reported yet")
    elif robot["age_ms"] > 500:
        said.append(f"last heard of {duration(robot['age_ms'] / 1000)} ago")
    if robot.get("running"):
        said.append(f"doing {robot['running']}")
    if robot.get("stop_unconfirmed"):
        said.append("a stop is not acknowledged yet")
    if robot.get("latched"):
        said.append("held by a stop: `claudiactl reset`, or say 解除")
    if robot.get("moved_by_others"):
        said.append("moved by an app or remote control")
    return "; ".join(said)


def _microphone(microphone: dict[str, Any]) -> str:
    said = [f"{microphone.get('device', '?')}: {microphone.get('state', '?')}"]
    if microphone.get("muted"):
        said.append("muted: only stops are heard (`claudiactl unmute`)")
    if microphone.get("only_zeros"):
        said.append("only zeros: muted at the device, or a driver that does not work")
    if microphone.get("overflow_samples"):
        said.append(f"{microphone['overflow_samples']} samples lost")
    if microphone.get("reopened"):
        said.append(f"reopened {microphone['reopened']} times")
    return "; ".join(said)


def _turn(turn: dict[str, Any]) -> str:
    refused = [f"refused {title}" for title in turn.get("refused", [])]
    what = turn.get("dropped") or ", ".join([*turn.get("actions", []), *refused]) or turn.get("route", "?")
    return turn_text(turn.get("turn", "?"), what, turn.get("timings_ms", {}))


def turn_text(number: int | str, what: str, timings_ms: Mapping[str, float]) -> str:
    """A turn in a few words: its number, what became of it, and how soon, in ms."""
    ms = timings_ms.get("speech_end_to_dispatch", timings_ms.get("speech_end_to_first_audio"))
    return f"{number}: {what}" + (f", {ms:.0f} ms" if ms is not None else "")


def _stats(reply: JsonObject) -> Iterator[str]:
    yield f"{reply.get('turns', 0)} turns in {duration(reply.get('uptime_s', 0))}"
    for name in ("routes", "dropped", "actions", "repairs"):
        if counts := reply.get(name):
            yield f"{name:<12}" + ", ".join(f"{key} {count}" for key, count in counts.items())
    yield f"{'refused':<12}{reply.get('refused', 0)}, over budget {reply.get('over_budget', 0)}"
    for name, s in reply.get("times_ms", {}).items():
        title = _PHRASES.get(name, name)
        yield f"{title:<12}p50 {s['p50']:.0f} ms, p90 {s['p90']:.0f} ms, max {s['max']:.0f} ms, of {s['n']:.0f}"
    process = reply.get("process") or {}
    if process:
        yield (
            f"{'process':<12}{process.get('resident_bytes', 0) / 1e6:.0f} MB, {process.get('threads', '?')} threads, "
            f"{process.get('descriptors', '?')} files, {process.get('tasks', '?')} tasks, "
            f"{process.get('cpu_s', 0):.0f} s of CPU"
        )


def duration(seconds: float) -> str:
    """3 s, 5 min, 2 h 10 min, 4 d 3 h."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86_400
    if minutes < 60:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if hours < 24 else f"{days} d {hours % 24} h"
