"""What the simulated Go2 of the container was told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.real.systemd.container import Container

SIT, HELLO = 1009, 1016


class Robot:
    """What the simulated Go2 was told since this was made."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._seen = len(container.journal(unit="claudiad-go2sim"))

    def calls(self, *api_ids: int) -> list[dict[str, Any]]:
        """Requests in their order; `t` is seconds on the clock of the journal's monotonic stamps."""
        entries = self._container.journal(unit="claudiad-go2sim")[self._seen :]
        calls = [json.loads(entry["MESSAGE"]) for entry in entries if str(entry["MESSAGE"]).startswith("{")]
        return [call for call in calls if call.get("api_id") in api_ids]

    def is_told(self, api_id: int) -> Callable[[], bool]:
        return lambda: bool(self.calls(api_id))
