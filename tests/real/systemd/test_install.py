"""install.sh on a computer that has never heard of claudiad: what is there afterwards, again, and newer."""

from __future__ import annotations

import pytest

from tests.real.systemd.container import Container

pytestmark = pytest.mark.real

BROKEN = """
import pathlib, sys, zipfile
wheels, broken = map(pathlib.Path, sys.argv[1:])
broken.mkdir()
for wheel in wheels.iterdir():
    if not wheel.name.startswith("claudiad-"):
        (broken / wheel.name).symlink_to(wheel)
        continue
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(broken / wheel.name, "w") as new:
        for name in old.namelist():
            code = old.read(name)
            if name == "claudiad/app/cmd_run.py":
                code += b"\\n\\ndef run(args):\\n    return 3\\n"
            new.writestr(name, code)
"""


def test_it_runs_after_installing(daemon: Container) -> None:
    """The service is enabled and active, as its own user, and its commands are on everybody's path."""
    shown = daemon.show("ActiveState", "UnitFileState", "User")
    assert shown == {"ActiveState": "active", "UnitFileState": "enabled", "User": "claudia"}
    assert daemon.show("UnitFileState", unit="claudiad.target") == {"UnitFileState": "enabled"}
    assert daemon.show("UnitFileState", unit="claudiad-go2sim") == {"UnitFileState": "disabled"}
    assert daemon.run("claudiad", "--version").startswith("claudiad ")
    assert daemon.run("stat", "--format=%U:%G %a", "/var/lib/claudia").strip() == "claudia:claudia 750"


def test_the_settings_are_all_there_as_comments_but_what_was_asked_for(daemon: Container) -> None:
    """A setting that was not chosen follows the defaults of whatever version runs."""
    chosen = [line for line in daemon.read("/etc/claudia/claudiad.toml").splitlines() if line[:1].isalpha()]
    assert chosen == ['mode = "off"', 'engine = "go2"', 'interface = "lo"']
    assert daemon.status_of("claudiad", "check-config", "/etc/claudia/claudiad.toml") == 0


def test_installing_again_changes_nothing(daemon: Container) -> None:
    """The same release, the same process, the same settings."""
    before = daemon.show("MainPID", "ActiveEnterTimestampMonotonic")
    said = daemon.run("/src/install.sh", "--wheels", "/wheels")
    assert "up to date" in said
    assert "goes on" in said
    assert daemon.show("MainPID", "ActiveEnterTimestampMonotonic") == before
    assert daemon.run("readlink", "/opt/claudia/current").strip() == "releases/1"


def test_a_new_version_that_does_not_become_ready_is_taken_back(daemon: Container) -> None:
    """Exit status 1, and the old one runs, with nothing left of the new one."""
    daemon.run("python3", "-c", BROKEN, "/wheels", "/srv/broken")
    said = daemon.run("sh", "-c", "/src/install.sh --wheels /srv/broken; echo status $?")
    assert "going back" in said
    assert said.splitlines()[-1] == "status 1"
    assert daemon.show("ActiveState") == {"ActiveState": "active"}
    assert daemon.run("readlink", "/opt/claudia/current").strip() == "releases/1"
    assert daemon.run("ls", "/opt/claudia/releases").split() == ["1"]
    daemon.run("rm", "-r", "/srv/broken")


def test_settings_that_the_new_version_refuses_change_nothing(daemon: Container) -> None:
    """78 with the key and the line, before anything was touched; the daemon goes on."""
    before = daemon.show("MainPID")
    daemon.write("/etc/claudia/claudiad.toml", "[stt]\nmodle = 1\n")
    said = daemon.run("sh", "-c", "/src/install.sh --wheels /wheels; echo status $?")
    assert "claudiad.toml:2: stt.modle" in said
    assert said.splitlines()[-1] == "status 78"
    assert daemon.show("MainPID") == before


def test_an_ollama_elsewhere_and_one_here_are_taken_into_account(daemon: Container) -> None:
    """The host that the settings name is let through the sandbox; Ollama's own service gets its drop-in."""
    settings = "/etc/claudia/claudiad.toml"
    daemon.write("/run/systemd/system/ollama.service", "[Service]\nExecStart=/bin/sleep infinity\n")
    daemon.write(settings, daemon.read(settings).replace("[llm]\n", '[llm]\nhost = "http://192.168.7.7:11434"\n'))
    said = daemon.run("/src/install.sh", "--wheels", "/wheels")
    assert "192.168.7.7 is let through" in said
    assert "192.168.7.7/32" in daemon.show("IPAddressAllow")["IPAddressAllow"].split()
    assert "OLLAMA_KEEP_ALIVE=-1" in daemon.show("Environment", unit="ollama")["Environment"]
    assert daemon.show("ActiveState") == {"ActiveState": "active"}


def test_a_session_has_its_own(daemon: Container) -> None:
    """`--user`: without root, below the person's home, with the person's settings and not the system's."""
    daemon.run("useradd", "--create-home", "visitor")
    daemon.run("loginctl", "enable-linger", "visitor")
    uid = daemon.run("id", "-u", "visitor").strip()
    daemon.until(lambda: daemon.exists(f"/run/user/{uid}/systemd/private"), "the visitor has no manager")
    daemon.run("systemctl", "stop", "claudiad")
    words = ["runuser", "-u", "visitor", "--", "env", "HOME=/home/visitor", f"XDG_RUNTIME_DIR=/run/user/{uid}"]
    daemon.run(*words, "/src/install.sh", "--user", "--wheels", "/wheels")
    assert daemon.run(*words, "systemctl", "--user", "is-active", "claudiad").strip() == "active"
    file = "/home/visitor/.config/claudia/claudiad.toml"
    assert not any(line[:1].isalpha() for line in daemon.read(file).splitlines())
    daemon.run(*words, "/src/install.sh", "--user", "--uninstall")
    left = set(daemon.run("find", "/home/visitor", "-name", "*claudi*").split())
    assert left == {"/home/visitor/.config/claudia", file, "/home/visitor/.local/state/claudia"}
    daemon.run("loginctl", "terminate-user", "visitor")
    daemon.run("userdel", "--remove", "--force", "visitor", check=False)
