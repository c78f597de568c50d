"""A device's own thread before everything else on the computer, where the system allows it (`LimitRTPRIO=`).

Only the threads that copy blocks: they work for a fraction of a millisecond, fifty times a second. The recogniser's,
under the same policy, would starve the rest of the machine.
"""

from __future__ import annotations

import logging
import os

log = logging.getLogger(__name__)

PRIORITY = 5
"""Of SCHED_FIFO, 1 to 99. Sound servers take more (PipeWire 88, PulseAudio 5): what feeds us must not wait for us."""


def urgent() -> bool:
    """The calling thread from now on; True when it is. What it starts is not (SCHED_RESET_ON_FORK)."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError as refused:
        log.debug("no real-time scheduling for sound: %s", refused)
        return False
    return True
