"""The official SDK, as far as it is used: its message types. Nothing of it is imported before `load` is called."""

from __future__ import annotations

import importlib.util
import sys
import types
from dataclasses import dataclass
from functools import cache
from typing import Any

from claudiad.errors import EngineMissing

HOW = (
    "run `sudo ./install.sh --robot IFACE`, or `scripts/robot-sdk` in a checkout; docs/go2.md says what it needs "
    "and which Go2 can be commanded this way"
)


@dataclass(frozen=True, slots=True)
class Messages:
    """Classes of the SDK's IDL modules; the names are the SDK's without their trailing underscore."""

    Request: Any
    RequestHeader: Any
    RequestIdentity: Any
    RequestLease: Any
    RequestPolicy: Any
    Response: Any
    ResponseHeader: Any
    ResponseStatus: Any
    SportModeState: Any
    LowState: Any
    WirelessController: Any
    sport_mode_state: Any
    """() → a SportModeState with every field zero."""
    low_state: Any


@cache
def load() -> Messages:
    """Import the SDK's message types. Raises EngineMissing when the SDK or CycloneDDS is not installed or broken.

    Version 1.0.1 on PyPI imports a subpackage `b2` that it does not contain (docs/facts.md): an empty one stands in.
    """
    if importlib.util.find_spec("unitree_sdk2py") is None:
        raise EngineMissing(f"the Go2 needs unitree_sdk2py, which is not installed: {HOW}")
    sys.modules.setdefault("unitree_sdk2py.b2", types.ModuleType("unitree_sdk2py.b2"))
    try:
        api = importlib.import_module("unitree_sdk2py.idl.unitree_api.msg.dds_")
        go = importlib.import_module("unitree_sdk2py.idl.unitree_go.msg.dds_")
        default = importlib.import_module("unitree_sdk2py.idl.default")
    except Exception as fault:  # a broken native library raises whatever it likes, and so does a half-installed package
        raise EngineMissing(f"unitree_sdk2py is installed and cannot be used ({fault}): {HOW}") from fault
    return Messages(
        Request=api.Request_,
        RequestHeader=api.RequestHeader_,
        RequestIdentity=api.RequestIdentity_,
        RequestLease=api.RequestLease_,
        RequestPolicy=api.RequestPolicy_,
        Response=api.Response_,
        ResponseHeader=api.ResponseHeader_,
        ResponseStatus=api.ResponseStatus_,
        SportModeState=go.SportModeState_,
        LowState=go.LowState_,
        WirelessController=go.WirelessController_,
        sport_mode_state=default.unitree_go_msg_dds__SportModeState_,
        low_state=default.unitree_go_msg_dds__LowState_,
    )
