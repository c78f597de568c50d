"""The control socket's language: every line is understood or refused with a code, never guessed."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.control import wire
from claudiad.control.wire import Command, Fault, Request, read_reply, read_request

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NEARLY = st.fixed_dictionaries(
    {}, optional={"v": JSON | st.just(1), "cmd": JSON | st.sampled_from(get_args(Command)), "text": JSON, "x": JSON}
)


@pytest.mark.parametrize("command", get_args(Command))
def test_what_a_client_writes_the_server_reads(command: Command) -> None:
    """Every command goes through, with its text where it has one."""
    text = "座って" if command in wire.WITH_TEXT else None
    assert read_request(wire.request(command, text)) == Request(command, text or "")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", "malformed"),
        (b"status", "malformed"),
        (b"[]", "malformed"),
        (b'"status"', "malformed"),
        (b'{"v":1,"cmd":"status"', "malformed"),
        (b'\xff\xfe{"v":1}', "malformed"),
        (b'{"v":' + b"1" * 5000 + b"}", "malformed"),
        (b"[" * 60_000, "malformed"),
        (b'{"cmd":"status"}', "version"),
        (b'{"v":2,"cmd":"status"}', "version"),
        (b'{"v":true,"cmd":"status"}', "version"),
        (b'{"v":1.0,"cmd":"status"}', "version"),
        (b'{"v":1}', "unknown-command"),
        (b'{"v":1,"cmd":"fly"}', "unknown-command"),
        (b'{"v":1,"cmd":["status"]}', "unknown-command"),
        (b'{"v":1,"cmd":"status","text":"x"}', "unknown-key"),
        (b'{"v":1,"cmd":"stop","force":true}', "unknown-key"),
        (b'{"v":1,"cmd":"ask"}', "text"),
        (b'{"v":1,"cmd":"ask","text":7}', "text"),
        (b'{"v":1,"cmd":"say","text":" \\n"}', "text"),
        (b'{"v":1,"cmd":"say","text":"' + b"a" * 1001 + b'"}', "text"),
    ],
)
def test_what_is_wrong_has_a_code(line: bytes, code: str) -> None:
    """Each kind of mistake has its own code, and a message of one line."""
    found = read_request(line)
    assert isinstance(found, Fault)
    assert found.code == code
    assert found.message
    assert found.message.isprintable()


def test_a_key_is_shown_without_harm() -> None:
    """What a client calls its keys cannot break a line of ours, or a terminal."""
    found = read_request(json.dumps({"v": 1, "cmd": "stop", "\x1b[2J\n" + "x" * 500: 1}).encode())
    assert isinstance(found, Fault)
    assert found.message.isprintable()
    assert len(found.message) < 100


def test_a_lone_surrogate_becomes_a_character() -> None:
    """JSON can hold half a character; nothing behind the socket has to."""
    found = read_request(b'{"v":1,"cmd":"say","text":"\\ud800"}')
    assert found == Request("say", "?")


@given(
    st.binary(max_size=300) | JSON.map(lambda j: json.dumps(j).encode()) | NEARLY.map(lambda j: json.dumps(j).encode())
)
def test_any_line_is_a_request_or_a_fault(line: bytes) -> None:
    """Whatever comes in: no exception; a fault has a known code and can itself be sent; a request can be repeated."""
    found = read_request(line)
    if isinstance(found, Fault):
        assert found.code in wire.OWN_CODES
        assert read_reply(wire.refused(found)) == found
    else:
        assert read_request(wire.request(found.command, found.text or None)) == found


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_a_result_is_one_line(result: dict[str, object]) -> None:
    """Whatever text a result holds: one line of UTF-8, read back the same; what is no JSON is a ValueError."""
    try:
        line = wire.done(result)
    except ValueError:
        assert "NaN" in json.dumps(result) or "Infinity" in json.dumps(result)
        return
    assert line.count(b"\n") == 1
    assert read_reply(line) == result


def test_half_a_character_in_a_result_is_escaped() -> None:
    """What a file name or a model gave us may be no text: it is JSON all the same."""
    assert wire.done({"name": "\ud800"}) == b'{"v":1,"ok":true,"result":{"name":"\\ud800"}}\n'


@given(st.binary(max_size=200) | JSON.map(lambda j: json.dumps(j).encode()))
def test_an_answer_of_something_else_is_a_value_error(line: bytes) -> None:
    """What is no daemon of ours is told from one that refuses."""
    with suppress(ValueError):
        assert isinstance(read_reply(line), dict | Fault)
