"""The line in `systemctl status`: what it does, what is missing, the last turn. Never what was said."""

from __future__ import annotations

from claudiad.app import claudiactl_text
from claudiad.app.ledger import TurnRecord
from claudiad.app.parts import Parts
from claudiad.audio.microphone import CaptureStats
from claudiad.service.health import Reading


def status_line(parts: Parts, microphone: CaptureStats, last: TurnRecord | None, health: Reading | None) -> str:
    """For STATUS=, joined by semicolons."""
    missing = degraded(parts, microphone)
    pieces = [f"degraded: {', '.join(missing)}" if missing else "listening"]
    if parts.lane.latched:
        pieces.append("stopped for good until `claudiactl reset` or 解除")
    if last is not None:
        pieces.append(turn_text(last))
    if parts.models is not None:
        pieces.append(parts.models.status())
    if (battery := parts.robot.state().battery) >= 0:
        pieces.append(f"battery {battery} %")
    if health is not None and (computer := health.line()):
        pieces.append(computer)
    return "; ".join(pieces)


def degraded(parts: Parts, microphone: CaptureStats) -> list[str]:
    """What is missing and does not keep it from running."""
    found = []
    if microphone.state in ("missing", "lost"):
        found.append("no microphone")
    elif microphone.silent_zeros:
        found.append("the microphone is silent")
    robot = parts.settings.robot
    if robot.engine == "go2" and parts.robot.state().age_ms > robot.state_max_age_ms:
        found.append("nothing is heard of the robot")
    if parts.models is not None and parts.models.residency.found.state == "down":
        found.append("no Ollama")
    if parts.audit is not None and parts.audit.failing:
        found.append("the audit log cannot be written")
    return found


def turn_text(record: TurnRecord) -> str:
    """A turn without what was said: what was done, and how soon."""
    what = record.dropped or ", ".join(step.title for step in record.steps) or record.route
    return f"turn {claudiactl_text.turn_text(record.turn, what, record.timings_ms)}"
