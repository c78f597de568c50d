"""The running daemon under a real systemd: reload, control socket, an Ollama that comes late, watchdog."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from claudiad.service.events import RELOAD_REFUSED, RELOADED, STACK, STALLED, Event
from tests.real.systemd.container import SETTINGS, Container
from tests.real.systemd.robot import HELLO, SIT, Robot

pytestmark = pytest.mark.real

DROP_INS = "/run/systemd/system/claudiad.service.d"

FAULTS = '''
"""Imported by every Python of the unit before anything else: faults that can be had from outside."""
import os, signal, sys, threading, time

if "run" in sys.orig_argv:
    def block(*_):
        print("fault: the event loop is blocked", file=sys.stderr, flush=True)
        time.sleep(3600)

    signal.signal(signal.SIGUSR2, block)
    from claudiad.stt.embedded import EmbeddedRecogniser
    recognise = EmbeddedRecogniser.recognise

    def hang(self, pcm):
        # Only the conversation's worker, not the stop listener's. The file goes with the unit's runtime directory.
        if threading.current_thread().name.startswith("stt_") and os.path.exists("/run/claudia/hang"):
            print("fault: the recogniser hangs", file=sys.stderr, flush=True)
            time.sleep(3600)
        return recognise(self, pcm)

    EmbeddedRecogniser.recognise = hang
'''
_WITH_FAULTS = "[Service]\nEnvironment=PYTHONPATH=/run/faults\n"


class Since:
    """What the journal of the unit has got since this was made."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._seen = len(container.journal())

    def of(self, event: Event) -> list[dict[str, Any]]:
        """Entries of one kind."""
        return [entry for entry in self._entries() if entry.get("MESSAGE_ID") == event.id]

    def saying(self, words: str) -> list[dict[str, Any]]:
        """Entries with these words, systemd's own too."""
        return [entry for entry in self._entries() if words in str(entry.get("MESSAGE"))]

    def _entries(self) -> list[dict[str, Any]]:
        return self._container.journal()[self._seen :]


@pytest.fixture
def since(daemon: Container) -> Since:
    return Since(daemon)


@pytest.fixture
def member(daemon: Container) -> Iterator[list[str]]:
    """How to run a command as a person in the group claudia."""
    daemon.run("useradd", "--no-create-home", "--groups", "claudia", "member")
    yield ["runuser", "-u", "member", "--"]
    daemon.run("userdel", "--force", "member", check=False)


def test_new_settings_are_in_force_after_a_reload(daemon: Container, since: Since) -> None:
    """`systemctl reload`: READY comes again, the line names what changed, and it listens by the new settings."""
    old = daemon.read(SETTINGS)
    daemon.write(SETTINGS, old.replace('mode = "off"', 'mode = "on"'))
    pid = daemon.show("MainPID")
    daemon.run("systemctl", "reload", "claudiad")
    daemon.until(lambda: since.of(RELOADED) != [], "no word of the reload")
    daemon.until(lambda: state_of(daemon) == ("active", "running"), "READY did not come again")
    assert since.of(RELOADED)[0]["CLAUDIA_CHANGED"] == "wake.mode"
    daemon.hear("/said/sit.wav")
    daemon.until(lambda: since.saying("dropped: not addressed") != [], "it needs no name")
    daemon.write(SETTINGS, old)
    daemon.run("systemctl", "reload", "claudiad")
    daemon.until(lambda: len(since.of(RELOADED)) == 2, "no word of the second reload")
    daemon.until(lambda: state_of(daemon) == ("active", "running"), "READY did not come again")
    assert daemon.show("MainPID") == pid


def test_faulty_settings_are_refused_by_a_reload(daemon: Container, since: Since, robot: Robot) -> None:
    """Key and line in the journal, active all the same, and it goes on hearing with the settings it had."""
    faulty = daemon.read(SETTINGS).replace('mode = "off"', 'mode = "sometimes"')
    line = 1 + faulty.splitlines().index('mode = "sometimes"')
    daemon.write(SETTINGS, faulty)
    pid = daemon.show("MainPID")
    daemon.run("systemctl", "reload", "claudiad")
    daemon.until(lambda: since.of(RELOAD_REFUSED) != [], "no word of the refusal")
    daemon.until(lambda: state_of(daemon) == ("active", "running"), "READY did not come again")
    assert f"claudiad.toml:{line}: wake.mode" in since.of(RELOAD_REFUSED)[0]["MESSAGE"]
    daemon.hear("/said/sit.wav")
    daemon.until(robot.is_told(SIT), "it does not hear any more, or needs a name")
    assert since.of(RELOADED) == []
    assert daemon.show("MainPID") == pid


def test_members_of_the_group_command_it(daemon: Container, since: Since, robot: Robot, member: list[str]) -> None:
    """A sentence moves the robot; a stop holds across a restart of the daemon, until the reset."""
    stopped = json.loads(daemon.run(*member, "claudiactl", "--json", "stop"))
    assert stopped["acknowledged"]
    assert stopped["latched"]
    restart(daemon)
    assert since.saying("not a member of the group") == []
    assert status_of(daemon, member)["state"] == "stopped"
    assert "stopped for good" in daemon.show("StatusText")["StatusText"]
    assert daemon.status_of(*member, "claudiactl", "ask", "挨拶して") == 1
    assert robot.calls(HELLO) == []
    assert json.loads(daemon.run(*member, "claudiactl", "--json", "reset")) == {"was_latched": True, "latched": False}
    asked = json.loads(daemon.run(*member, "claudiactl", "--json", "ask", "挨拶して"))
    assert [(each["name"], each["outcome"]) for each in asked["actions"]][-1] == ("Hello", "done")
    assert len(robot.calls(HELLO)) == 1
    assert status_of(daemon, member)["state"] != "stopped"
    # The unit has a user name space of its own, in which other users have no number.
    assert since.saying("control: stop by uid 65534, pid ")
    daemon.run("claudiactl", "reset")
    assert since.saying("control: reset by uid 0, pid ")


def test_others_are_refused(daemon: Container) -> None:
    """77, and the line says what to do about it."""
    for command in (["status"], ["stop"], ["reset"], ["ask", "挨拶して"]):
        words = ["runuser", "-u", "nobody", "--", "claudiactl", *command]
        said = daemon.run("sh", "-c", '"$@"; echo status $?', "sh", *words).splitlines()
        assert said[-1] == "status 77"
        assert len(said) == 2
        assert "permission denied for /run/claudia/control.sock" in said[0]
        assert "sudo usermod -aG claudia $USER" in said[0]


def test_an_ollama_that_comes_later_is_found(daemon: Container) -> None:
    """Active and degraded without it; STATUS says so, and, with the same process, when it is there."""
    settings = daemon.read(SETTINGS)
    daemon.write(SETTINGS, settings.replace("[llm]\n", "[llm]\nwatch_s = 5.0\n"))
    restart(daemon)
    pid = daemon.show("MainPID")
    daemon.until(lambda: "no Ollama" in status_text(daemon), "STATUS does not say that it is degraded")
    assert status_text(daemon).startswith("degraded: ")
    assert "Ollama down: " in status_text(daemon)
    daemon.run(
        *["systemd-run", "--quiet", "--collect", "--unit=test-ollama", "--working-directory=/src"],
        *["/src/.venv/bin/python", "-m", "tests.fakes.ollama", "--port", "11434"],
    )
    try:
        daemon.until(lambda: "up: ClaudiaGo2" in status_text(daemon), "STATUS does not say that it is there")
        assert "no Ollama" not in status_text(daemon)
    finally:
        daemon.run("systemctl", "stop", "test-ollama", check=False)
    assert daemon.show("MainPID", "ActiveState") == pid | {"ActiveState": "active"}


@pytest.fixture(scope="module")
def faulty(installed: Container) -> Iterator[Container]:
    """A daemon that can be made to hang. The product has no such code: the unit gets it from a drop-in."""
    installed.write("/run/faults/sitecustomize.py", FAULTS)
    installed.write(f"{DROP_INS}/98-test-faults.conf", _WITH_FAULTS)
    restart(installed)
    yield installed
    installed.run("rm", "-r", "/run/faults", f"{DROP_INS}/98-test-faults.conf")
    restart(installed)


@pytest.mark.usefixtures("faulty")
def test_a_blocked_event_loop_is_restarted_by_the_watchdog(daemon: Container, since: Since) -> None:
    """Within the watchdog's period, and the journal names the stage, with the stack of what blocks it."""
    daemon.run("systemctl", "kill", "--kill-whom=main", "--signal=USR2", "claudiad")
    assert_restarted(daemon, since, "fault: the event loop is blocked", "event loop", "in block")


@pytest.mark.usefixtures("faulty")
def test_a_stuck_recogniser_is_restarted_by_the_watchdog(daemon: Container, since: Since) -> None:
    """A worker that never returns leaves the event loop alive, and is found all the same."""
    daemon.run("touch", "/run/claudia/hang")
    daemon.hear("/said/sit.wav")
    assert_restarted(daemon, since, "fault: the recogniser hangs", "recognition", "in hang")


def assert_restarted(container: Container, since: Since, began: str, stage: str, where: str) -> None:
    """The watchdog ended it within its period of the line `began`; the journal names stage and place; it runs again."""
    killed = container.show("MainPID")["MainPID"]
    period_s = int(container.show("WatchdogUSec")["WatchdogUSec"].removesuffix("s"))
    container.until(lambda: since.saying("Watchdog ") != [], f"{stage}: the watchdog did not bark", 40)
    (stalled,) = since.of(STALLED)
    assert stalled["CLAUDIA_STAGE"] == stage
    assert stalled["_PID"] == killed
    assert [each for each in since.of(STACK) if where in each["MESSAGE"]]
    assert seconds(since.saying("Watchdog ")[0]) - seconds(since.saying(began)[0]) < period_s
    container.until(
        lambda: state_of(container) == ("active", "running") and container.show("MainPID")["MainPID"] != killed,
        f"{stage}: it was not restarted",
    )


def seconds(entry: dict[str, Any]) -> float:
    """When it was written, on the monotonic clock."""
    return int(entry["__MONOTONIC_TIMESTAMP"]) / 1e6


def restart(container: Container) -> None:
    """Restart it, as often as the tests like: none of them counts towards the start limit."""
    container.run("systemctl", "daemon-reload")
    container.run("systemctl", "reset-failed", "claudiad")
    container.run("systemctl", "restart", "claudiad")


def state_of(container: Container) -> tuple[str, str]:
    shown = container.show("ActiveState", "SubState")
    return shown["ActiveState"], shown["SubState"]


def status_text(container: Container) -> str:
    return container.show("StatusText")["StatusText"]


def status_of(container: Container, member: list[str]) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(container.run(*member, "claudiactl", "--json", "status"))
    return status
