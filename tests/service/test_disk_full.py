"""A disk that is really full: a tmpfs of 64 kB in a mount namespace of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.absent import without

pytestmark = pytest.mark.real

LIFE = """
import asyncio, json, logging, sys
from pathlib import Path
from claudiad.clock import SystemClock
from claudiad.robot.sim import SimRobot
from claudiad.robot.stop_lane import StopLane
from claudiad.service.audit import AuditLog, read
from claudiad.service.events import DISK_FULL
from claudiad.service.health import Health, read_health

async def main(state):
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    clock, audit, health = SystemClock(), AuditLog(state, 1_000_000, 3, log_speech=True), Health()
    robot = SimRobot(clock)
    await robot.start()
    lane = StopLane(robot, clock, latch_path=state / "latch")
    lane.start()
    audit.write({"turn": 0})
    filler = state / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 1024)
    except OSError:
        pass
    with filler.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"x")
        except OSError:
            pass
    written = [audit.write({"turn": number, "reply": "わ" * 2000}) for number in range(1, 6)]
    failing = audit.failing
    report = await asyncio.wrap_future(lane.request("full", latch=True))
    told = [remark.event is DISK_FULL for remark in health.note(read_health(state))]
    filler.unlink()
    again = audit.write({"turn": 9})
    lane.close()
    await robot.close()
    audit.close()
    print(json.dumps({
        "written": written, "failing": failing, "acknowledged": report.acknowledged, "latched": lane.latched,
        "told": told, "again": again, "kept": [r["turn"] for r in read(state)],
        "stops": sum(call.name == "stop" or call.api_id == 1003 for call in robot.calls),
    }))

asyncio.run(main(Path(sys.argv[1])))
"""


def test_turns_and_stops_go_on_without_room(tmp_path: Path) -> None:
    """Records are lost, and counted; a stop for good holds at once; with room again the next record is whole."""
    probe = subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True)
    if probe.returncode != 0:
        without("no mount namespace may be made here, so no small disk: run it as root, or allow user namespaces")
    state = tmp_path / "state"
    state.mkdir()
    script = 'mount -t tmpfs -o size=64k none "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", str(state), sys.executable, LIFE],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["written"] == [False] * 5
    assert found["failing"]
    assert (found["acknowledged"], found["latched"]) == (True, True)
    assert found["stops"] >= 1
    assert found["told"] == [True]
    assert found["again"]
    assert found["kept"] == [0, 9]
    assert "the stop holds, but would not survive a restart" in done.stderr
    assert done.stderr.count("records are being lost") == 1
    assert "audit log works again; 5 records were lost" in done.stderr
