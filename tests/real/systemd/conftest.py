"""One container for all tests of this folder: installing takes half a minute."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from claudiad.app.demo_sound import person
from claudiad.audio.wav import write_wav
from claudiad.types import SAMPLE_RATE
from tests.fakes.sdk import require_sdk
from tests.real.systemd.container import SETTINGS, Container
from tests.real.systemd.robot import Robot

ROOT = Path(__file__).parents[3]
SENTENCES = {"sit": "座ってください", "walk": "三メートル前に進んで"}


@pytest.fixture(scope="session")
def wheels() -> Path:
    """What `install.sh --wheels` installs from, with this tree's claudiad in it. Needs the internet the first time."""
    folder = ROOT / "build" / "wheels"
    # For the interpreter that install.sh will choose, whatever these tests run on.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHON"}
    words = [ROOT / "scripts/wheels", folder, "--robot"]
    made = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.fail(f"scripts/wheels: {made.stderr[-2000:]}")
    return folder


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Iterator[Container]:
    """A booted computer without claudiad: this tree is its /src, packages are its /wheels, speech its /said."""
    said = tmp_path_factory.mktemp("said")
    said.chmod(0o755)
    quiet = np.zeros(SAMPLE_RATE // 2, np.int16)
    for name, text in SENTENCES.items():
        write_wav(said / f"{name}.wav", np.concatenate([quiet, person(text, mumble=False), quiet]))
    container = Container(tmp_path_factory.mktemp("machine"), {ROOT: "/src", wheels: "/wheels", said: "/said"})
    try:
        container.start()
        yield container
    finally:
        container.stop()


@pytest.fixture(scope="session")
def installed(machine: Container, requires_sdk_once: None) -> Container:
    """claudiad installed for a Go2 on the loopback interface, which is simulated; running, hearing and speaking."""
    machine.before = machine.written()
    machine.run("/src/install.sh", "--wheels", "/wheels", "--robot", "lo")
    machine.give_it_sound()
    machine.write(SETTINGS, machine.read(SETTINGS).replace('#mode = "auto"', 'mode = "off"'))
    machine.run("systemctl", "start", "claudiad-go2sim")
    machine.run("systemctl", "restart", "claudiad")
    return machine


@pytest.fixture(scope="session")
def requires_sdk_once() -> None:
    """As `requires_sdk`, for fixtures of the session."""
    require_sdk()


@pytest.fixture
def daemon(installed: Container) -> Iterator[Container]:
    """The same, with a daemon that runs at the start of each test, and the owner's settings back after it."""
    settings = installed.read(SETTINGS)
    if installed.show("ActiveState")["ActiveState"] != "active":
        _start(installed)
    yield installed
    if installed.read(SETTINGS) != settings:
        installed.write(SETTINGS, settings)
    if installed.show("ActiveState")["ActiveState"] != "active":
        _start(installed)


@pytest.fixture
def robot(daemon: Container) -> Robot:
    return Robot(daemon)


def _start(container: Container) -> None:
    container.run("systemctl", "stop", "claudiad")  # one that is stuck in a reload cannot be started
    container.run("systemctl", "reset-failed", "claudiad")
    container.run("systemctl", "start", "claudiad")
