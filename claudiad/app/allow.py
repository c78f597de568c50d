"""`claudiactl allow`: let the sandboxed unit reach a model server that is not on this computer or the robot's network.

The unit's sandbox knows addresses only (`IPAddressAllow=`), so a name is looked up once, now, and the name servers that
the daemon will ask are allowed with it.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from claudiad.errors import DataError

UNIT_FOLDER = Path("etc/systemd/system/claudiad.service.d")
CLOUD = "cloud"
CLOUD_NETWORKS = ("160.79.104.0/23", "2607:6bc0::/48")
"""From where Anthropic answers: platform.claude.com/docs/en/api/ip-addresses."""

IN_FORCE = "sudo systemctl daemon-reload"
"""systemd puts the new addresses into force for the unit that runs, too: nothing is restarted."""

Lookup = Callable[[str], Sequence[str]]


def addresses_of(name: str) -> list[str]:
    """Addresses of a host name, as the resolver gives them now. Raises DataError."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as fault:
        raise DataError(f"{name}: no address found ({fault}); give an address or a network instead") from fault
    return list(dict.fromkeys(str(entry[4][0]).split("%")[0] for entry in found))


def name_servers(resolv_conf: Path) -> list[str]:
    """The resolvers that are not on this computer, which is allowed anyway. A file that is not there names none."""
    try:
        lines = resolv_conf.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    named = [words[1].split("%")[0] for line in lines if len(words := line.split()) > 1 and words[0] == "nameserver"]
    return [each for each in named if _is_address(each) and not ipaddress.ip_address(each).is_loopback]


def drop_in(host: str, root: Path, lookup: Lookup = addresses_of) -> tuple[Path, str]:
    """Where to write what, so that `host` (a name, address, network, URL or `cloud`) can be reached.

    Raises DataError for what is none of these.
    """
    bare, by_name = _bare(host), False
    if bare == CLOUD:
        networks, by_name = list(CLOUD_NETWORKS), True
    elif (network := _network(bare)) is not None:
        networks = [network]
    elif re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}", bare):
        networks, by_name = list(lookup(bare)), True
    else:
        raise DataError(f"{host!r} is no host name, address or network")
    lines = [f"# What `claudiactl allow {bare}` allows; without it [llm] host or [cloud] there is not reached."]
    lines += ["[Service]", *(f"IPAddressAllow={each}" for each in networks)]
    if by_name and (servers := name_servers(root / "etc/resolv.conf")):
        lines += ["# The name servers, which have to be asked for it.", *(f"IPAddressAllow={each}" for each in servers)]
    return _file(bare, root), "\n".join(lines) + "\n"


def written(host: str, root: Path) -> Path:
    """Where an earlier `allow` of this host is."""
    return _file(_bare(host), root)


def _file(bare: str, root: Path) -> Path:
    return root / UNIT_FOLDER / f"60-allow-{re.sub(r'[^A-Za-z0-9.]+', '-', bare).strip('-')}.conf"


def _bare(host: str) -> str:
    """Without scheme, port, brackets and path; a network keeps its length."""
    text = host.strip()
    if not text.isprintable():
        return ""  # urlsplit would leave the line ends out, and go on
    if _network(text) is not None:
        return text
    try:
        return urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""


def _network(text: str) -> str | None:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
