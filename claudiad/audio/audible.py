"""Does anything of what is played come back into the microphone at all? Pure.

With headphones, a muted speaker or a canceller in the microphone, nothing does. Then WebRTC's canceller takes speech
for the echo it does not find: of 41 commands said over a reply 4 were understood with it and 41 without (measured).
"""

from __future__ import annotations

from collections import deque

import numpy as np

LOUD_DBFS = -35.0
"""What is played is loud from here on: its echo, if there is one, must be heard."""
LASTING = 4
"""Frames for which it has been loud: whatever way the sound takes, it has arrived."""
SOUND_DBFS = -60.0
DYING = 20
"""Frames after the last sound in which the room may still answer: 0.4 s."""
KNOWN = 25
"""Loud frames from which it is known; until then there may be an echo."""
REMEMBERED = 100
SHARE = 0.3
"""This share of the loud frames is no louder than the room where there is no echo, also while somebody speaks."""
ABOVE_DB = 6.0
"""Echo that is less than this above the room is none."""


class Audible:
    """Compares what is heard while something loud is played with the room's own level."""

    def __init__(self) -> None:
        self._lately: deque[float] = deque(maxlen=LASTING)
        self._heard: deque[float] = deque(maxlen=REMEMBERED)
        self._silent = 0

    def judge(self, heard_dbfs: float, played_dbfs: float, room_dbfs: float) -> bool:
        """Take the next frame's levels; whether there may be an echo in it.

        True until half a second of loud sound has shown otherwise; False as soon as the last sound has died away.
        """
        self._silent = 0 if played_dbfs >= SOUND_DBFS else self._silent + 1
        self._lately.append(played_dbfs)
        if min(self._lately) >= LOUD_DBFS:
            self._heard.append(heard_dbfs)
        if self._silent > DYING:
            return False
        if len(self._heard) < KNOWN:
            return True
        return float(np.quantile(self._heard, SHARE)) > room_dbfs + ABOVE_DB
