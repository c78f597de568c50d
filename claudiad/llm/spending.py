"""What the cloud may cost in a day, and what it has cost today.

The worst a call can cost is set aside before it is made, so that calls side by side cannot go beyond the cap together,
and replaced by what it did cost when that is known. The file is read once, at the start; one that cannot be read
counts as a cap that is reached today, because nobody can say what has been spent.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from claudiad.errors import ModelError
from claudiad.llm.state_file import read_bounded, write_whole

_log = logging.getLogger(__name__)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    version: Literal[1] = 1
    day: date
    usd: float = Field(ge=0, strict=True)


@dataclass(slots=True)
class Reservation:
    """Money set aside for one call."""

    usd: float
    day: date
    settled: bool = False


@dataclass(frozen=True, slots=True)
class _Account:
    day: date
    usd: float
    """Spent and set aside."""


class Spending:
    """The account of a day. It belongs to the event loop; `save` alone may be called from any thread."""

    def __init__(self, path: Path | None, cap_usd: float) -> None:
        """`path` None: the account does not survive a restart. `cap_usd`: US dollars of a local day."""
        self.fault: str | None = None
        """What is wrong with the file; nothing can be spent on the day on which it was read."""
        self._path = path
        self._cap = cap_usd
        self._account: _Account | None = None
        self._saved: _Account | None = None
        self._file_lock = threading.Lock()
        if path is not None:
            self._load(path)

    def spent(self, today: date) -> float:
        """US dollars of the local day `today`, with what is set aside."""
        return self._of(today).usd

    def reserve(self, usd: float, today: date) -> Reservation:
        """Set aside the worst a call can cost. Raises `ModelError("budget")` when the day has not that much left."""
        account = self._of(today)
        if not account.usd + usd <= self._cap:  # not `>`: what is no number is refused as well
            why = f"what was spent is not known ({self.fault})" if self.fault else f"${account.usd:.4f} are spent"
            raise ModelError("budget", f"cloud: the day's ${self._cap:g} are used up, {why}; more: cloud.daily_usd")
        self._account = _Account(account.day, account.usd + usd)
        return Reservation(usd, account.day)

    def settle(self, reservation: Reservation, usd: float) -> None:
        """Replace what was set aside by what the call did cost. Once; after midnight it is of no account any more."""
        if reservation.settled:
            return
        reservation.settled = True
        if self._account is not None and self._account.day == reservation.day:
            self._account = _Account(reservation.day, max(0.0, self._account.usd - reservation.usd + usd))

    def save(self) -> None:
        """Write the account, whole or not at all, unless the file has it already. Raises OSError."""
        with self._file_lock:
            account = self._account
            if self._path is None or account is None or account == self._saved:
                return
            write_whole(self._path, _File(day=account.day, usd=account.usd).model_dump_json())
            self._saved = account

    def _of(self, today: date) -> _Account:
        """The account, turned over to `today`. A clock that was set back begins no new day."""
        if self._account is None:
            self._account = _Account(today, self._cap if self.fault else 0.0)
        elif self._account.day < today:
            self.fault = None
            self._account = _Account(today, 0.0)
        elif self._account.day > today:
            self._account = _Account(today, self._account.usd)
        return self._account

    def _load(self, path: Path) -> None:
        try:
            data = read_bounded(path)
            if data is not None:
                file = _File.model_validate_json(data)
                self._account = self._saved = _Account(file.day, file.usd)
        except (OSError, ValidationError) as fault:
            reason = str(fault) if isinstance(fault, OSError) else "it is not an account of claudiad"
            self.fault = f"{path}: {reason}"
            _log.warning("the cloud is not asked today, what was spent is not known: %s", self.fault)
