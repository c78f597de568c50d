"""install.sh on a computer that has never heard of claudiad: what is there afterwards, again, and newer."""

from __future__ import annotations

import pytest

from claudiad.service.events import READY
from tests.real.systemd.conftest import ROOT
from tests.real.systemd.container import SETTINGS, Container

pytestmark = pytest.mark.real

REMADE = """
import pathlib, sys, zipfile

wheels, remade = map(pathlib.Path, sys.argv[1:3])
remade.mkdir()
for wheel in wheels.iterdir():
    if not wheel.name.startswith("claudiad-"):
        (remade / wheel.name).symlink_to(wheel)
        continue
    was = wheel.name.split("-")[1]
    now = was + ".post1"
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(remade / wheel.name.replace(was, now), "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "claudiad/__init__.py":
                content = content.replace(was.encode(), now.encode())
            elif name.endswith(".dist-info/METADATA"):
                content = content.replace(f"\\nVersion: {was}".encode(), f"\\nVersion: {now}".encode())
            elif name.endswith(".dist-info/RECORD"):
                content = content.replace(f"-{was}.dist-info".encode(), f"-{now}.dist-info".encode())
            elif name == "claudiad/app/cmd_run.py":
                content += sys.argv[3].encode()
            new.writestr(name.replace(f"-{was}.dist-info", f"-{now}.dist-info"), content)
"""
"""A newer version of claudiad in a folder of wheels, with code of ours at the end of `claudiad run`."""
NEVER_READY = "\n\ndef run(args):\n    return 3\n"


def test_it_runs_after_installing(daemon: Container) -> None:
    """The service is enabled and active, as its own user, and its commands are on everybody's path."""
    shown = daemon.show("ActiveState", "UnitFileState", "User")
    assert shown == {"ActiveState": "active", "UnitFileState": "enabled", "User": "claudia"}
    assert daemon.show("UnitFileState", unit="claudiad.target") == {"UnitFileState": "enabled"}
    assert daemon.show("UnitFileState", unit="claudiad-go2sim") == {"UnitFileState": "disabled"}
    assert daemon.run("claudiad", "--version").startswith("claudiad ")
    assert daemon.run("stat", "--format=%U:%G %a", "/var/lib/claudia").strip() == "claudia:claudia 750"


def test_manual_pages_and_completions_are_where_the_shells_look(daemon: Container) -> None:
    """For each command: `man`, bash by the command's own name, zsh with its underscore; as they are in the tree."""
    for name in ("claudiad", "claudiactl", "claudiad-go2sim"):
        for here, there in (
            (f"man/{name}.1", f"man/man1/{name}.1"),
            (f"completion/{name}.bash", f"bash-completion/completions/{name}"),
            (f"completion/_{name}", f"zsh/site-functions/_{name}"),
        ):
            assert daemon.read(f"/usr/local/share/{there}") == (ROOT / here).read_text(encoding="utf-8")


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
    daemon.run("python3", "-c", REMADE, "/wheels", "/srv/broken", NEVER_READY)
    version, settings = daemon.run("claudiad", "--version"), daemon.read(SETTINGS)
    said = daemon.run("sh", "-c", "/src/install.sh --wheels /srv/broken; echo status $?")
    assert "going back" in said
    assert said.splitlines()[-1] == "status 1"
    assert daemon.show("ActiveState") == {"ActiveState": "active"}
    assert daemon.run("readlink", "/opt/claudia/current").strip() == "releases/1"
    assert daemon.run("ls", "/opt/claudia/releases").split() == ["1"]
    assert (daemon.run("claudiad", "--version"), daemon.read(SETTINGS)) == (version, settings)
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


@pytest.mark.parametrize(("who", "data"), [("visitor", ".local/share"), ("guest", "things")])
def test_a_session_has_its_own(daemon: Container, who: str, data: str) -> None:
    """`--user`: without root, below the person's home, with the person's settings and not the system's.

    Also where $XDG_DATA_HOME names another place, of which the person's manager has not heard.
    """
    home = f"/home/{who}"
    daemon.run("useradd", "--create-home", who)
    daemon.run("loginctl", "enable-linger", who)
    uid = daemon.run("id", "-u", who).strip()
    daemon.until(lambda: daemon.exists(f"/run/user/{uid}/systemd/private"), f"{who} has no manager")
    daemon.run("systemctl", "stop", "claudiad")
    words = ["runuser", "-u", who, "--", "env", f"HOME={home}", f"XDG_RUNTIME_DIR=/run/user/{uid}"]
    if data != ".local/share":
        words.append(f"XDG_DATA_HOME={home}/{data}")
    daemon.run(*words, "/src/install.sh", "--user", "--wheels", "/wheels")
    assert daemon.run(*words, "systemctl", "--user", "is-active", "claudiad").strip() == "active"
    pid = daemon.run(*words, "systemctl", "--user", "show", "--property=MainPID", "--value", "claudiad").strip()
    started = daemon.run("sh", "-c", f"tr '\\0' ' ' </proc/{pid}/cmdline")
    assert f"{home}/{data}/claudia/" in started
    file = f"{home}/.config/claudia/claudiad.toml"
    assert not any(line[:1].isalpha() for line in daemon.read(file).splitlines())
    daemon.run(*words, "/src/install.sh", "--user", "--uninstall")
    left = set(daemon.run("find", home, "-name", "*claudi*").split())
    assert left == {f"{home}/.config/claudia", file, f"{home}/.local/state/claudia"}
    daemon.run("loginctl", "terminate-user", who)
    daemon.run("userdel", "--remove", "--force", who, check=False)


def test_an_upgrade_leaves_the_old_version_beside_the_new_one(daemon: Container) -> None:
    """The link moves and the new one runs and is ready; the old release and the settings stay as they were."""
    daemon.run("python3", "-c", REMADE, "/wheels", "/srv/newer", "")
    settings, old = daemon.read(SETTINGS), daemon.run("readlink", "/opt/claudia/current").strip()
    version, pid = daemon.run("claudiad", "--version").strip(), daemon.show("MainPID")
    daemon.run("/src/install.sh", "--wheels", "/srv/newer")
    new = daemon.run("readlink", "/opt/claudia/current").strip()
    assert new != old
    assert {f"releases/{each}" for each in daemon.run("ls", "/opt/claudia/releases").split()} == {old, new}
    assert daemon.run("claudiad", "--version").strip() == f"{version}.post1"
    assert daemon.run(f"/opt/claudia/{old}/bin/claudiad", "--version").strip() == version
    assert daemon.show("ActiveState", "SubState") == {"ActiveState": "active", "SubState": "running"}
    assert daemon.show("MainPID") != pid
    ready = [entry for entry in daemon.journal() if entry.get("MESSAGE_ID") == READY.id][-1]
    assert ready["MESSAGE"].startswith(f"{version}.post1 ready in ")
    assert ready["_PID"] == daemon.show("MainPID")["MainPID"]
    assert daemon.read(SETTINGS) == settings
    daemon.run("rm", "-r", "/srv/newer")
    daemon.run("systemctl", "reset-failed", "claudiad")
