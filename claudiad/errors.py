"""One exception tree, each leaf with a stable code and the exit status a command ends with.

    ClaudiaError
    ├── ConfigError        config    78   the configuration cannot be used as written
    ├── DataError          data      65   a table, phrase file or recording is malformed
    ├── EngineMissing      engine    78   a named engine, model or voice is not installed here
    ├── DeviceError        device    74   a microphone or speaker cannot be opened or has gone
    ├── RobotError         robot     76   the robot refused or cannot be reached
    ├── ModelError         model     69   a language model gave no complete answer
    └── Busy               busy      75   another process holds the robot

Exit statuses follow sysexits.h, which systemd understands by name.
"""

from __future__ import annotations

from typing import ClassVar, Literal


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


ModelFault = Literal["unreachable", "missing", "busy", "rejected", "server", "cut", "malformed", "timeout", "budget"]
"""Why a language model gave no complete answer.

`unreachable`: nobody listens there, or the connection broke before the answer began; `missing`: the model is not
installed (404); `busy`: queue full or too many requests (503, 429); `rejected`: our request was refused (other 4xx);
`server`: 5xx, or an error line in the stream; `cut`: the stream ended before it was done; `malformed`: a line that is
not what the protocol says; `timeout`: no connection in time; `budget`: a spending cap is reached.
"""


class ModelError(ClaudiaError):
    """A language model gave no complete answer; the message names model, reason and remedy in one line."""

    code = "model"
    exit_status = 69

    def __init__(self, fault: ModelFault, message: str) -> None:
        super().__init__(message)
        self.fault: ModelFault = fault


class Busy(ClaudiaError):
    """Another process holds what was asked for."""

    code = "busy"
    exit_status = 75
