"""Wait for an event, but not for ever, on a given clock."""

from __future__ import annotations

import asyncio

from claudiad.clock import Clock


async def wait_for_event(event: asyncio.Event, clock: Clock, seconds: float) -> bool:
    """True when the event was set, False when `seconds` on the clock had passed first; the event is cleared."""
    if not event.is_set():
        setting = asyncio.create_task(event.wait())
        timing = asyncio.create_task(clock.sleep(seconds))
        try:
            await asyncio.wait((setting, timing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            setting.cancel()
            timing.cancel()
    was_set = event.is_set()
    event.clear()
    return was_set
