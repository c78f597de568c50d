"""Real-time scheduling, asked of the real kernel: by root, who may, and by somebody without any right to it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from claudiad.audio.urgent import PRIORITY

NOBODY = 65534
_CHILD = f"""
import os, resource, sys, threading
from claudiad.audio.urgent import urgent
if sys.argv[1] == "nobody":
    resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
if sys.argv[1] == "nobody" and os.getuid() == 0:
    os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
def look():
    got = urgent()
    policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
    inner = []
    started = threading.Thread(target=lambda: inner.append(os.sched_getscheduler(0)))
    started.start(); started.join()
    print(got, policy == os.SCHED_FIFO, os.sched_getparam(0).sched_priority, inner[0] == os.SCHED_OTHER)
thread = threading.Thread(target=look)
thread.start(); thread.join()
print(os.sched_getscheduler(0) == os.SCHED_OTHER)
"""


@pytest.mark.parametrize("who", ["nobody", "root"] if os.getuid() == 0 else ["nobody"])
def test_the_thread_alone_is_urgent_where_that_is_allowed(who: str) -> None:
    """Allowed, it gets the priority; what it starts does not, nor the other threads. Else nothing changes or fails."""
    done = subprocess.run([sys.executable, "-c", _CHILD, who], capture_output=True, text=True, timeout=60, check=True)
    allowed = who == "root"
    assert done.stdout.splitlines() == [f"{allowed} {allowed} {PRIORITY if allowed else 0} True", "True"]
