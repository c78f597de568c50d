"""One exception tree, each leaf with a stable code and the exit status a command ends with.

    ClaudiaError
    ├── ConfigError        config    78   the configuration cannot be used as written
    ├── DataError          data      65   a table, phrase file or recording is malformed
    ├── EngineMissing      engine    78   a named engine, model or voice is not installed here
    ├── DeviceError        device    74   a microphone or speaker cannot be opened or has gone
    ├── RobotError         robot     76   the robot refused or cannot be reached
    └── Busy               busy      75   another process holds the robot

Exit statuses follow sysexits.h, which systemd understands by name.
"""

from __future__ import annotations

from typing import ClassVar


class ClaudiaError(Exception):
    """Base of all errors a person may be shown; `str()` is one line that says what to do."""

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 70


class ConfigError(ClaudiaError):
    """One or more faults in the configuration; `faults` has one printable line each."""

    code = "config"
    exit_status = 78

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class DataError(ClaudiaError):
    """A data file is malformed: the message begins with ``file:line:``."""

    code = "data"
    exit_status = 65


class EngineMissing(ClaudiaError):
    """An engine, model or voice named in the configuration is not here; the message says how to get it."""

    code = "engine"
    exit_status = 78


class DeviceError(ClaudiaError):
    """A sound device cannot be opened or has stopped delivering."""

    code = "device"
    exit_status = 74


class RobotError(ClaudiaError):
    """The robot refused a command or cannot be reached."""

    code = "robot"
    exit_status = 76


class Busy(ClaudiaError):
    """Another process holds what was asked for."""

    code = "busy"
    exit_status = 75
