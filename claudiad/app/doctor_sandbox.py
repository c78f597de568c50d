"""Whether the installed unit's sandbox lets the daemon reach what the settings name; for `claudiad doctor`.

The doctor itself is not in the sandbox, so it cannot try: it compares addresses with what systemd says of the unit.
"""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from claudiad.app.allow import CLOUD, CLOUD_NETWORKS, IN_FORCE, addresses_of
from claudiad.app.finding import Finding
from claudiad.config import Settings
from claudiad.errors import ConfigError, DataError
from claudiad.llm.ollama_address import server_address

UNIT = "claudiad.service"
_SYSTEMCTL_S = 5.0

Show = Callable[[], str | None]


def show_unit() -> str | None:
    """What systemd says of the unit's addresses; None where there is no such unit, or no systemd."""
    words = ["systemctl", "show", UNIT, "--property=LoadState,IPAddressAllow,IPAddressDeny"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_SYSTEMCTL_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if "LoadState=loaded" in done.stdout else None


def examine(settings: Settings, environ: Mapping[str, str], show: Show = show_unit) -> list[Finding]:
    """One finding for each host that is named and shut out; nothing where no unit is installed or nothing is denied."""
    wanted = dict(_wanted(settings, environ))
    said = show() if wanted else None
    if said is None:
        return []
    allowed, denied = _networks(said, "IPAddressAllow"), _networks(said, "IPAddressDeny")
    found = []
    for host, networks in wanted.items():
        shut = [n for n in networks if _within(n, denied) and not _within(n, allowed)]
        if shut:
            remedy = f"sudo claudiactl allow {host}; {IN_FORCE}"
            found.append(Finding("sandbox", "warning", f"{UNIT} may not reach {host} ({shut[0]})", remedy))
    return found


def _wanted(settings: Settings, environ: Mapping[str, str]) -> list[tuple[str, Sequence[str]]]:
    """Hosts besides this computer, with their addresses or networks."""
    wanted: list[tuple[str, Sequence[str]]] = []
    if settings.llm.enabled:
        try:
            host = urlsplit(server_address(settings.llm.host, environ)).hostname or ""
            wanted.append((host, addresses_of(host)))
        except (ConfigError, DataError):
            pass  # an address that is none, or that nobody knows, is said elsewhere
    if settings.cloud.enabled:
        wanted.append((CLOUD, CLOUD_NETWORKS))
    return [each for each in wanted if not all(_loopback(one) for one in each[1])]


def _loopback(network: str) -> bool:
    return ipaddress.ip_network(network, strict=False).is_loopback


def _networks(said: str, key: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    values = [line.partition("=")[2] for line in said.splitlines() if line.startswith(f"{key}=")]
    return [ipaddress.ip_network(each, strict=False) for value in values for each in value.split()]


def _within(network: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    one = ipaddress.ip_network(network, strict=False)
    return any(
        one.version == other.version and one.network_address in other and one.broadcast_address in other
        for other in networks
    )
