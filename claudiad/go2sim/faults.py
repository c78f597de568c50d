"""Faults on demand: what they are called, and what they do to which call. No threads, no clock of its own.

A fault is written `KIND[:ARGUMENTS][@AFTER_S][xCOUNT]`: from AFTER_S seconds after it was given, for COUNT calls or
until `clear`. An API is an id or a name of the sport service, `SERVICE/API` one of another. Where several fit a call,
the one that was given first decides.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from claudiad.go2sim import names

HELP = """\
  no-reply[:API]            the call gets lost: nothing is done, nothing answered
  late-reply:SECONDS[:API]  done at once, answered so much later
  unknown[:API]             done and never answered: the client sees 3104
  code:NNNN[:API]           answered with that code, and nothing is done
  deaf-but-stop             everything but StopMove gets lost
  locked:SECONDS            Move is answered and ignored so long after StandUp, also after BalanceStand
  drop-state[:SECONDS]      state is not published (any more, or for so long)
  battery:PERCENT           the battery has that much left
  remote:sit|walk           a person with the remote control makes it sit, or walk for three seconds
  die                       the process ends at once, saying nothing"""


class Kind(StrEnum):
    """What can be wrong."""

    NO_REPLY = "no-reply"
    LATE_REPLY = "late-reply"
    UNKNOWN = "unknown"
    CODE = "code"
    DEAF_BUT_STOP = "deaf-but-stop"
    LOCKED = "locked"
    DROP_STATE = "drop-state"
    BATTERY = "battery"
    REMOTE = "remote"
    DIE = "die"


ONCE = frozenset((Kind.BATTERY, Kind.REMOTE, Kind.DIE))
"""They happen when their time has come; the others hold from then on."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault as it was asked for."""

    text: str
    kind: Kind
    value: float = math.nan
    """Seconds, percent or the code, whichever the kind has; infinite where none was given."""
    what: str = ""
    api: tuple[str, int] | None = None
    """Service and id; None = every call."""
    after_s: float = 0.0
    count: int | None = None

    def fits(self, service: str, api_id: int) -> bool:
        """Whether it falls upon calls of this api."""
        if self.kind is Kind.DEAF_BUT_STOP:
            return (service, api_id) != (names.SPORT, names.STOP_MOVE)
        if self.kind is Kind.LOCKED:
            return (service, api_id) == (names.SPORT, names.MOVE)
        return self.api in (None, (service, api_id))


_FORM = re.compile(r"(?P<kind>[a-z-]+)(?P<arguments>(?::[^:@\s]*?)*)(?:@(?P<after>[^@x:\s]+))?(?:x(?P<count>\d+))?")
_SECONDS = (0.0, 3600.0, "SECONDS is a number from 0 to 3600")

_NUMBERS: Mapping[Kind, tuple[float, float, str]] = {
    Kind.LATE_REPLY: _SECONDS,
    Kind.LOCKED: _SECONDS,
    Kind.DROP_STATE: _SECONDS,
    Kind.BATTERY: (0.0, 100.0, "PERCENT is a number from 0 to 100"),
    Kind.CODE: (1.0, 9999.0, "NNNN is a whole number from 1 to 9999"),
}
_CALLS = frozenset((Kind.NO_REPLY, Kind.LATE_REPLY, Kind.UNKNOWN, Kind.CODE, Kind.DEAF_BUT_STOP, Kind.LOCKED))
_WITH_API = _CALLS - {Kind.DEAF_BUT_STOP, Kind.LOCKED}


def parse(text: str) -> Fault:
    """Read one fault. Raises ValueError, one line that says what is wrong with it."""
    text = text.strip()
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"fault {text!r}: not of the form KIND[:ARGUMENTS][@AFTER_S][xCOUNT]")
    if found["kind"] not in set(Kind):
        raise ValueError(f"fault {text!r}: there is no fault {found['kind']!r}; here are: {', '.join(Kind)}")
    kind = Kind(found["kind"])
    arguments = found["arguments"].split(":")[1:]
    try:
        fault = _with_arguments(Fault(text, kind), arguments)
        if found["after"] is not None:
            fault = replace(fault, after_s=_number(found["after"], 0.0, 1e6, "AFTER_S is a number of seconds"))
        if found["count"] is not None:
            if kind not in _CALLS or int(found["count"]) < 1:
                raise ValueError("xCOUNT is a number of calls, at least 1, for faults that fall upon calls")
            fault = replace(fault, count=int(found["count"]))
    except ValueError as wrong:
        raise ValueError(f"fault {text!r}: {wrong}") from None
    return fault


def _with_arguments(fault: Fault, arguments: list[str]) -> Fault:
    kind, rest = fault.kind, list(arguments)
    if kind in _NUMBERS:
        if rest:
            fault = replace(fault, value=_number(rest.pop(0), *_NUMBERS[kind]))
        elif kind is Kind.DROP_STATE:
            fault = replace(fault, value=math.inf)
        else:
            raise ValueError(f"{kind} needs an argument: {_NUMBERS[kind][2]}")
        if kind is Kind.CODE and fault.value != int(fault.value):
            raise ValueError(_NUMBERS[kind][2])
    if kind is Kind.REMOTE:
        if rest[:1] not in (["sit"], ["walk"]):
            raise ValueError("remote:sit or remote:walk")
        fault = replace(fault, what=rest.pop(0))
    if rest and kind in _WITH_API:
        fault = replace(fault, api=names.find(rest.pop(0)))
    if rest:
        raise ValueError(f"{kind} does not take the argument {rest[0]!r}")
    return fault


def _number(text: str, least: float, most: float, otherwise: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(otherwise) from None
    if not least <= value <= most:
        raise ValueError(otherwise)
    return value


class Faults:
    """Those that have been given. Not safe for threads by itself."""

    def __init__(self) -> None:
        self._given: list[_Given] = []

    def add(self, fault: Fault, now: float) -> None:
        """From `now` on, plus what the fault itself says; seconds on a clock that does not go back."""
        self._given.append(_Given(fault, now + fault.after_s, fault.count))

    def clear(self) -> int:
        """Forget them all; how many there were."""
        count = len(self._given)
        self._given.clear()
        return count

    def __iter__(self) -> Iterator[str]:
        return iter([given.fault.text for given in self._given])

    def due(self, now: float) -> list[Fault]:
        """Those that happen once and whose time has come; each is returned once."""
        happens = [given for given in self._given if given.fault.kind in ONCE and given.begins <= now]
        self._given = [given for given in self._given if given not in happens]
        return [given.fault for given in happens]

    def silent(self, now: float) -> bool:
        """Whether state is not to be published."""
        return any(
            given.fault.kind is Kind.DROP_STATE and given.begins <= now < given.begins + given.fault.value
            for given in self._given
        )

    def upon(self, service: str, api_id: int, now: float, stood_up_at: float) -> Fault | None:
        """The fault that falls upon a call that arrives now, if one does; uses up one of its COUNT.

        `stood_up_at` is when the last StandUp was accepted.
        """
        for given in self._given:
            fault = given.fault
            if fault.kind not in _CALLS or now < given.begins or not fault.fits(service, api_id):
                continue
            if fault.kind is Kind.LOCKED and now >= stood_up_at + fault.value:
                continue
            if given.left is not None:
                given.left -= 1
                if given.left == 0:
                    self._given.remove(given)
            return fault
        return None


@dataclass(slots=True, eq=False)
class _Given:
    fault: Fault
    begins: float
    left: int | None
