"""The service under a real systemd: it starts, hears, moves, stops, dies, is restarted, and stays in its sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from claudiad.app.allow import IN_FORCE
from claudiad.service.events import TURN
from tests.real.systemd.container import SETTINGS, Container
from tests.real.systemd.robot import SIT, Robot

pytestmark = pytest.mark.real

STOP_MOVE, MOVE = 1003, 1008

PROBE = """
import socket, sys
for address in sys.argv[1:]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.sendto(b"x", (address, 9))
            print(address, "allowed")
        except OSError as fault:
            print(address, fault.strerror)
"""


def test_it_is_ready_within_ten_seconds(daemon: Container) -> None:
    """From `systemctl start` to READY=1, by systemd's own clock, with the embedded models."""
    daemon.run("systemctl", "restart", "claudiad")
    shown = daemon.show("InactiveExitTimestampMonotonic", "ActiveEnterTimestampMonotonic", "Type", "NotifyAccess")
    assert shown["Type"].startswith("notify")
    assert int(shown["ActiveEnterTimestampMonotonic"]) - int(shown["InactiveExitTimestampMonotonic"]) < 10_000_000


def test_a_spoken_sentence_moves_the_robot_and_is_in_the_journal(daemon: Container, robot: Robot) -> None:
    """Through the sandbox: microphone, recognition, DDS; the turn's line has its fields, and `journalctl -x` a text."""
    before = len(_turns(daemon))
    daemon.hear("/said/sit.wav")
    daemon.until(robot.is_told(SIT), "it was not told to sit")
    daemon.until(lambda: len(_turns(daemon)) > before, "no line for the turn")
    turn = _turns(daemon)[-1]
    assert "座ってください" in turn["MESSAGE"]
    assert turn["MESSAGE_ID"] == TURN.id
    assert turn["CLAUDIA_ROUTE"] == "hotpath"
    assert turn["CLAUDIA_ACTIONS"] == "Sit"
    assert turn["CLAUDIA_OUTCOMES"] == "done"
    assert int(turn["CLAUDIA_TURN"]) >= 1
    assert float(turn["CLAUDIA_SPEECH_TO_MOVE_MS"]) > 0
    explained = daemon.run("journalctl", "-x", "-q", "--no-pager", "-u", "claudiad", f"MESSAGE_ID={TURN.id}")
    assert "Subject: Somebody spoke and was answered" in explained
    assert f"Turn {turn['CLAUDIA_TURN']}, understood by hotpath." in explained


def test_stopping_in_the_middle_of_a_walk_stops_the_robot(daemon: Container, robot: Robot) -> None:
    """`systemctl stop`: StopMove within 200 ms of the signal, no motion after it, exit status 0."""
    walk(daemon, robot)
    daemon.run("systemctl", "stop", "claudiad")
    began = monotonic_of(daemon, "stopping")
    last_move = robot.calls(MOVE)[-1]["t"]
    stops = [call["t"] for call in robot.calls(STOP_MOVE) if call["t"] > last_move]
    assert stops
    assert stops[0] - began < 0.2
    shown = daemon.show("Result", "ExecMainStatus", "ActiveState")
    assert shown == {"Result": "success", "ExecMainStatus": "0", "ActiveState": "inactive"}


def test_killed_in_the_middle_of_a_walk_the_unit_stops_the_robot(daemon: Container, robot: Robot) -> None:
    """SIGKILL: ExecStopPost has stopped it within 2 s; the daemon comes back and moves nothing."""
    walk(daemon, robot)
    killed = daemon.show("MainPID")["MainPID"]
    daemon.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "claudiad")
    daemon.until(lambda: "status=9/KILL" in daemon.messages(), "it was not killed")
    died = monotonic_of(daemon, "status=9/KILL")
    daemon.until(lambda: any(call["t"] > died for call in robot.calls(STOP_MOVE)), "nobody stopped it")
    stopped = next(call["t"] for call in robot.calls(STOP_MOVE) if call["t"] > died)
    assert stopped - died < 2.0
    daemon.until(lambda: daemon.show("ActiveState", "MainPID")["ActiveState"] == "active", "it did not come back")
    assert daemon.show("MainPID")["MainPID"] != killed
    assert [call for call in robot.calls(MOVE) if call["t"] > stopped] == []


def test_one_that_hangs_is_restarted_by_the_watchdog(daemon: Container) -> None:
    """A process that does nothing at all is ended and started again."""
    killed = daemon.show("MainPID", "NRestarts")
    daemon.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "claudiad")
    daemon.until(lambda: "Watchdog timeout" in daemon.messages(), "the watchdog did not bark", 40)
    # SIGABRT cannot reach a stopped process; systemd's next step can.
    daemon.until(
        lambda: daemon.show("ActiveState")["ActiveState"] == "active" and daemon.show("MainPID", "NRestarts") != killed,
        "it was not restarted",
        40,
    )


def test_bad_settings_fail_once_and_say_so(daemon: Container) -> None:
    """78, not restarted; the journal names key and line, and what to do about it."""
    daemon.write(SETTINGS, '[robot]\nengine = "go3"\n')
    daemon.run("systemctl", "restart", "claudiad", check=False)
    shown = daemon.show("ActiveState", "ExecMainStatus", "NRestarts")
    assert shown == {"ActiveState": "failed", "ExecMainStatus": "78", "NRestarts": "0"}
    assert "claudiad.toml:2: robot.engine" in daemon.messages()
    failed = "claudia-failed@claudiad"
    daemon.until(lambda: "claudiad is not running: its configuration" in daemon.messages(failed), "no word")
    daemon.until(lambda: daemon.show("ActiveState", unit=failed)["ActiveState"] == "inactive", "still announcing")
    said = daemon.messages(failed)
    assert "Finished" in said
    assert "could not be said aloud" not in said


def test_without_ollama_it_is_active_and_says_what_is_missing(daemon: Container) -> None:
    """`systemctl status` names it."""
    daemon.until(lambda: "Ollama" in daemon.show("StatusText")["StatusText"], "STATUS= does not name it")
    assert daemon.show("ActiveState") == {"ActiveState": "active"}


def test_it_reaches_its_own_networks_and_no_other(daemon: Container) -> None:
    """A process in the unit's control group: this machine, the Go2's network and DDS multicast; nothing else."""
    allowed = ["127.0.0.1", "::1", "192.168.123.161", "239.255.0.1"]
    refused = ["10.9.9.9", "192.168.1.5", "224.0.0.251", "fd00::9"]
    # Reachable, were it not for the unit.
    for address in ("192.168.123.161", "10.9.9.9", "192.168.1.5", "fd00::9"):
        daemon.run("ip", "address", "replace", address, "dev", "lo")
    daemon.run("ip", "route", "replace", "multicast", "224.0.0.0/4", "dev", "lo")
    answers = reached(daemon, *allowed, *refused)
    assert [address for address in allowed if answers[address] != "allowed"] == []
    assert [address for address in refused if answers[address] == "allowed"] == []


def test_an_address_that_is_allowed_later_is_reached_without_a_restart(daemon: Container) -> None:
    """`claudiactl allow`, then what it says: `systemctl daemon-reload` is enough for the unit that runs, and back."""
    host = "10.9.9.9"
    daemon.run("ip", "address", "replace", host, "dev", "lo")
    before = daemon.show("MainPID")
    said = daemon.run("claudiactl", "allow", host)
    assert f"for it to take effect, without a restart: {IN_FORCE}" in said
    assert reached(daemon, host)[host] != "allowed"
    daemon.run(*IN_FORCE.split()[1:])
    assert reached(daemon, host) == {host: "allowed"}
    daemon.run("claudiactl", "allow", "--remove", host)
    daemon.run(*IN_FORCE.split()[1:])
    assert reached(daemon, host)[host] != "allowed"
    assert daemon.show("MainPID") == before


def test_the_sandbox_that_runs_scores_as_well_as_the_file(daemon: Container) -> None:
    """With every drop-in that install.sh added."""
    daemon.run("systemd-analyze", "security", "--no-pager", "--threshold=15", "claudiad")


def reached(container: Container, *addresses: str) -> dict[str, str]:
    """What a process in the unit's control group hears of each address: "allowed", or why it is not."""
    container.write("/run/probe.py", PROBE)
    group = "/sys/fs/cgroup/system.slice/claudiad.service/cgroup.procs"
    said = container.run("sh", "-c", f"echo $$ > {group}; exec python3 /run/probe.py {' '.join(addresses)}")
    return dict(line.split(" ", 1) for line in said.splitlines())


def walk(container: Container, robot: Robot) -> None:
    """Tell it to walk three metres, and wait until it does."""
    container.hear("/said/walk.wav")
    container.until(robot.is_told(MOVE), "it does not walk")


def monotonic_of(container: Container, message: str) -> float:
    """When the last line with these words was written, seconds."""
    entries = [each for each in container.journal() if message in str(each.get("MESSAGE"))]
    assert entries, f"no line with {message!r}"
    return int(entries[-1]["__MONOTONIC_TIMESTAMP"]) / 1e6


def _turns(container: Container) -> list[dict[str, Any]]:
    return [entry for entry in container.journal() if str(entry.get("MESSAGE")).startswith("turn ")]
