"""Where Ollama is asked, and names that mean one model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.errors import ConfigError
from claudiad.llm.ollama_address import full_name, is_this_computer, same_model, server_address


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("", "http://127.0.0.1:11434"),
        ("  ", "http://127.0.0.1:11434"),
        ("1.2.3.4", "http://1.2.3.4:11434"),
        (":56789", "http://127.0.0.1:56789"),
        ("1.2.3.4:56789", "http://1.2.3.4:56789"),
        ("http://1.2.3.4", "http://1.2.3.4:80"),
        ("https://example.com", "https://example.com:443"),
        ("https://example.com:56789/path/", "https://example.com:56789/path"),
        ("example.com", "http://example.com:11434"),
        ("robot.local/", "http://robot.local:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("http://[::1]:5", "http://[::1]:5"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104 - what a server listens on
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("http://0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://[::1]:8080"),
        ('"1.2.3.4"', "http://1.2.3.4:11434"),
    ],
)
def test_an_address_is_read_as_ollama_reads_it(host: str, address: str) -> None:
    """The setting and $OLLAMA_HOST are read alike."""
    assert server_address(host, {}) == address
    assert server_address("", {"OLLAMA_HOST": host}) == address


def test_the_setting_comes_before_the_environment() -> None:
    """$OLLAMA_HOST is for an empty setting."""
    assert server_address("a", {"OLLAMA_HOST": "b"}) == "http://a:11434"


@pytest.mark.parametrize("host", ["ftp://a", "a:b", "http://a:99999", "http://[::1"])
def test_what_is_no_address_is_a_configuration_error(host: str) -> None:
    """Named by where it was given."""
    with pytest.raises(ConfigError, match=r"^llm\.host: "):
        server_address(host, {})
    with pytest.raises(ConfigError, match=r"^OLLAMA_HOST: "):
        server_address("", {"OLLAMA_HOST": host})


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_a_configuration_error(host: str) -> None:
    """No other exception."""
    try:
        address = server_address(host, {})
    except ConfigError:
        return
    assert address.startswith(("http://", "https://"))


def test_this_computer_is_known_by_any_of_its_names() -> None:
    """Loopback addresses and localhost."""
    for address in ("http://127.0.0.1:1", "http://127.9.9.9:1", "http://[::1]:1", "http://localhost:1"):
        assert is_this_computer(address)
    for address in ("http://192.168.1.5:1", "https://example.com:443"):
        assert not is_this_computer(address)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Mine", "mine:latest", True),
        ("mine:latest", "mine", True),
        ("registry.ollama.ai/library/qwen2.5:3b", "qwen2.5:3b", True),
        ("qwen2.5:3b", "qwen2.5", False),
        ("a/mine", "mine", False),
        ("localhost:5000/mine", "localhost:5000/mine:latest", True),
    ],
)
def test_names_of_one_model(one: str, other: str, same: bool) -> None:
    """`:latest`, the library and case make no difference; another tag does."""
    assert same_model(one, other) is same
    assert full_name(full_name(one)) == full_name(one)
