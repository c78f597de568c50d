"""Where Ollama is asked, and when two of its names mean the same model."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from claudiad.errors import ConfigError

PORT = 11434
_SCHEME_PORTS = {"http": 80, "https": 443}


def server_address(host: str, environ: Mapping[str, str]) -> str:
    """The server's base URL, port always given, without a slash at the end.

    `host` as in `llm.host`; empty means $OLLAMA_HOST, and without that this computer. Read as the `ollama` command
    reads it: no scheme means http and port 11434, a scheme its own port, and what a server listens on everywhere
    (`0.0.0.0`, `::`) means this computer. Raises `ConfigError` for what is no address.
    """
    name, given = ("llm.host", host) if host.strip() else ("OLLAMA_HOST", environ.get("OLLAMA_HOST", ""))
    text = given.strip().strip("\"'")
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
    port = _SCHEME_PORTS.get(scheme, PORT) if separator else PORT
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        port = parts.port or port
    except ValueError as fault:
        raise ConfigError([f"{name}: {given!r} is no address: {fault}"]) from fault
    if scheme not in _SCHEME_PORTS:
        raise ConfigError([f"{name}: {given!r} begins with {scheme}://; allowed: http:// and https://"])
    return f"{scheme}://{_reachable(parts)}:{port}{parts.path.rstrip('/')}"


def is_this_computer(address: str) -> bool:
    """Whether a base URL leads to the loopback interface, which no proxy is to be asked for."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def full_name(model: str) -> str:
    """One spelling of a model's name: Ollama leaves out its own registry, `library` and `:latest`, and ignores case."""
    name = model.casefold()
    for prefix in ("registry.ollama.ai/", "library/"):
        name = name.removeprefix(prefix)
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def same_model(one: str, other: str) -> bool:
    """Whether two names mean one model on a server."""
    return full_name(one) == full_name(other)


def _reachable(parts: SplitResult) -> str:
    host = parts.hostname or "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return host if address.version == 4 else f"[{host}]"
