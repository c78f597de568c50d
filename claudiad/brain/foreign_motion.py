"""A motion said in English or Chinese, piece by piece: walk, two metres, to the left. Units of `Motion`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from claudiad.brain.foreign_table import Verb
from claudiad.brain.motion import STEP_M, Motion


@dataclass(frozen=True, slots=True)
class Going:
    """A motion as far as it has been said."""

    said: Motion = field(default_factory=Motion)
    verb: Verb | None = None
    pieces: int = 0


def sized(said: Motion, unit: str, n: float) -> Motion:
    """`said` with an amount: n metres, centimetres, steps, seconds, degrees or turns."""
    match unit:
        case "m":
            return replace(said, metres=n)
        case "cm":
            return replace(said, metres=n / 100)
        case "step":
            return replace(said, metres=n * STEP_M)
        case "s":
            return replace(said, seconds=n)
        case "deg":
            return replace(said, radians=math.radians(n))
        case _:
            return replace(said, spins=n)


def params_of(going: Going) -> list[dict[str, float]]:
    """Parameters of `move`, several for several full turns; none when it is no motion or contradicts itself."""
    said, verb = going.said, going.verb
    size = next((n for n in (said.metres, said.seconds, said.radians, said.spins) if n is not None), None)
    if size == 0:
        return []
    params: dict[str, float] | None = None
    match verb:
        case None if size is not None and said.way is not None:  # two steps back, 左边九十度
            turning = said.radians is not None or said.spins is not None
            params = said.params("turn" if turning and said.way in ("left", "right") else "go")
        case "walk" | "forward" | "back":
            params = said.params(verb)
        case "go" if size is not None or said.way is not None:
            params = said.params("walk")
        case "take" if size is not None:
            params = said.params("walk")
        case "make" if said.spins is not None:
            params = said.params("turn")
        case "turn" if size is not None or said.way is not None:
            params = said.params("turn")
        case "face" if said.way is not None:
            params = said.params("face")
        case "spin" if said.way not in ("front", "back"):
            params = (said if size is not None else replace(said, spins=1.0)).params("turn")
    turns = int(said.spins) if said.spins is not None and said.spins == int(said.spins) else 1
    if params is None:
        return []
    return [{"yaw": params["yaw"] / turns}] * turns if turns > 1 else [params]
