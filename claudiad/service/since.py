"""A moment as people write it: `today`, `2h`, `2026-07-01`, `2026-07-01 14:30`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

ALLOWED: Final = "today, yesterday, 90m, 2h, 7d, 2w, 14:30, 2026-07-01, or 2026-07-01T14:30"

_SPAN: Final = re.compile(r"-?(\d{1,6})\s*(m|min|h|d|w)(?: ago)?")
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})")
_MINUTES: Final = {"m": 1, "min": 1, "h": 60, "d": 1440, "w": 10_080}


def since(text: str, now: datetime) -> datetime:
    """The moment meant, in the zone of `now` unless it names its own. Raises ValueError, which says what is allowed."""
    words = text.strip().lower()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        if words in ("today", "yesterday"):
            return midnight - timedelta(days=words == "yesterday")
        if span := _SPAN.fullmatch(words):
            return now - timedelta(minutes=int(span[1]) * _MINUTES[span[2]])
        if clock := _TIME.fullmatch(words):
            return midnight.replace(hour=int(clock[1]), minute=int(clock[2]))
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no time; allowed: {ALLOWED}") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=now.tzinfo)


def is_before(started: object, moment: datetime) -> bool:
    """Whether a record's `started` lies before it. One that has no time that can be read does not: it is kept."""
    if not isinstance(started, str):
        return False
    try:
        when = datetime.fromisoformat(started)
    except ValueError:
        return False
    return (when if when.tzinfo is not None else when.replace(tzinfo=moment.tzinfo)) < moment
