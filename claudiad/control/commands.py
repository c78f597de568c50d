"""What the control socket can have done: the methods a daemon gives it, and which command means which."""

from __future__ import annotations

from typing import Protocol

from claudiad.control.wire import JsonObject, Request


class Controls(Protocol):
    """A running daemon, seen from its control socket. All of it belongs to the event loop.

    Results are plain JSON. What cannot be done raises a ClaudiaError, whose code and line the client gets. `by` names
    who asked, for the log and for the reason a stop is kept with.
    """

    async def status(self) -> JsonObject:
        """How it is now; nothing that was said."""
        ...

    async def ask(self, text: str) -> JsonObject:
        """Decide and do what a typed sentence says, like a spoken one; the `ask` object, once it is done."""
        ...

    async def say(self, text: str) -> JsonObject:
        """Speak what the filter leaves of it, and return when it has sounded. Raises DataError when that is nothing."""
        ...

    async def stop(self, by: str) -> JsonObject:
        """Stop the robot, and keep it stopped until `reset`. The StopMove is on its way before anything is awaited."""
        ...

    async def reset(self, by: str) -> JsonObject:
        """Let it move again; moves nothing."""
        ...

    async def mute(self, *, muted: bool) -> JsonObject:
        """Take what is heard for nothing but stops, or listen again."""
        ...

    async def reload(self, by: str) -> JsonObject:
        """Read the configuration again, like SIGHUP."""
        ...

    async def stats(self) -> JsonObject:
        """Counts and times since the start."""
        ...


async def carry_out(asked: Request, controls: Controls, by: str) -> JsonObject:
    """Do what was asked for. Raises what the method raises."""
    if asked.command in ("mute", "unmute"):
        return await controls.mute(muted=asked.command == "mute")
    if asked.command in ("ask", "say"):
        return await (controls.ask if asked.command == "ask" else controls.say)(asked.text)
    if asked.command in ("status", "stats"):
        return await (controls.status if asked.command == "status" else controls.stats)()
    return await {"stop": controls.stop, "reset": controls.reset, "reload": controls.reload}[asked.command](by)
