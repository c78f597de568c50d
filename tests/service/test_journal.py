"""The journal's native protocol, spoken to a socket that parses it back; and to journald where there is one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.service.journal import MAX_BYTES, Journal, encode, is_journal
from tests.fakes.absent import without


def parse(entry: bytes) -> list[tuple[str, bytes]]:
    """As systemd.io/JOURNAL_NATIVE_PROTOCOL has it."""
    fields = []
    while entry:
        head, _, entry = entry.partition(b"\n")
        name, equals, value = head.partition(b"=")
        if not equals:
            size = int.from_bytes(entry[:8], "little")
            value, end, entry = entry[8 : 8 + size], entry[8 + size : 9 + size], entry[9 + size :]
            assert end == b"\n"
        fields.append((name.decode("ascii"), value))
    return fields


class Journald:
    """The other end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)

    def entry(self) -> list[tuple[str, bytes]]:
        data, fds, _, _ = socket.recv_fds(self.socket, 1 << 20, 1)
        for fd in fds:
            with os.fdopen(fd, "rb") as file:
                assert data == b""
                file.seek(0)
                data = file.read()
        return parse(data)


@pytest.fixture
def journald() -> Iterator[Journald]:
    with tempfile.TemporaryDirectory() as folder:
        end = Journald(Path(folder) / "socket")
        yield end
        end.socket.close()


_NAMES = st.from_regex(r"[A-Z][A-Z0-9_]{0,63}", fullmatch=True)


@given(st.lists(st.tuples(_NAMES, st.text()), max_size=8))
def test_every_text_comes_back(fields: list[tuple[str, str]]) -> None:
    """Any text, line breaks, equals signs and lone surrogates included, in order, names repeated or not."""
    expected = [(name, text.encode("utf-8", "backslashreplace")) for name, text in fields]
    assert parse(encode(fields)) == expected


@pytest.mark.parametrize("name", ["", "message", "Message", "_PID", "1ST", "A B", "A=B", "A\n", "Ä", "A" * 65])
def test_a_name_the_journal_would_drop_is_refused(name: str) -> None:
    """journald drops a field with a bad name without a word; here it is an error."""
    with pytest.raises(ValueError, match="the journal knows no field"):
        encode([(name, "x")])


def test_an_entry_is_one_datagram(journald: Journald) -> None:
    """Two entries are two; a second value of a name is a second field."""
    journal = Journal(journald.path)
    assert journal.send([("MESSAGE", "立つ\n座る"), ("A", "1"), ("A", "2")])
    assert journal.send([("MESSAGE", "x")])
    assert journald.entry() == [("MESSAGE", "立つ\n座る".encode()), ("A", b"1"), ("A", b"2")]
    assert journald.entry() == [("MESSAGE", b"x")]
    journal.close()


def test_what_is_too_large_for_a_datagram_comes_as_a_file(journald: Journald) -> None:
    """A stack of every thread may be large: it arrives whole, up to what journald takes of one field."""
    journal = Journal(journald.path)
    assert journal.send([("MESSAGE", "x" * 500_000), ("PRIORITY", "3")])
    assert journald.entry() == [("MESSAGE", b"x" * 500_000), ("PRIORITY", b"3")]
    assert journal.send([("MESSAGE", "y" * 2_000_000)])
    assert journald.entry() == [("MESSAGE", b"y" * MAX_BYTES)]
    journal.close()


def test_a_journal_that_does_not_keep_up_costs_lines_and_no_time(journald: Journald) -> None:
    """A full queue loses entries, which are counted, and never blocks the one who speaks."""
    journal = Journal(journald.path)
    for number in range(3000):
        assert journal.send([("MESSAGE", f"{number}")])
    assert journal.lost > 0
    journal.close()


def test_nobody_listening_is_told_by_the_answer(tmp_path: Path) -> None:
    """Then the line has to go elsewhere; once somebody listens again it is delivered."""
    path = tmp_path / "s"
    journal = Journal(path)
    assert not journal.send([("MESSAGE", "lost")])
    end = Journald(path)
    assert journal.send([("MESSAGE", "back")])
    assert end.entry() == [("MESSAGE", b"back")]
    end.socket.close()
    journal.close()


def test_only_the_stream_that_is_named_is_the_journal(tmp_path: Path) -> None:
    """Device and inode must be those of the stream: an inherited variable alone means nothing."""
    with (tmp_path / "err").open("w") as file:
        status = os.fstat(file.fileno())
        right = f"{status.st_dev}:{status.st_ino}"
        assert is_journal(file.fileno(), {"JOURNAL_STREAM": right})
        for wrong in ("", "8:1", f"{status.st_dev}:", "x:y", right + "0", right.replace(":", ";")):
            assert not is_journal(file.fileno(), {"JOURNAL_STREAM": wrong})
        assert not is_journal(file.fileno(), {})
    assert not is_journal(999_999, {"JOURNAL_STREAM": right})


JOURNALD = Path("/usr/lib/systemd/systemd-journald")

ALONE = ("unshare", "-m", "--fork", "--pid", "--kill-child", "--mount-proc")

LIFE = """
mount -t tmpfs none /run && mkdir -p /run/systemd/journal /run/log/journal || exit 1
"$1" >/dev/null 2>&1 &
until [ -S /run/systemd/journal/socket ]; do kill -0 $! || exit 1; done
"$2" -c "$3"
until journalctl -q -D /run/log/journal -o json --all CLAUDIA_MARK=last 2>/dev/null | grep -q last; do kill -0 $!; done
journalctl -q -D /run/log/journal -o json --all --output-fields=MESSAGE,CLAUDIA_ACTIONS CLAUDIA_ACTIONS=Hello
journalctl -q -D /run/log/journal -o json --all --output-fields=MESSAGE CLAUDIA_MARK=large
journalctl -q -D /run/log/journal -o cat --output-fields=CLAUDIA_HEARD
kill $!
"""
"""A journald of the test's own, where nobody else sees it."""

SENDS = """
from claudiad.service.journal import Journal
j = Journal()
sit = [("CLAUDIA_ACTIONS", "Sit"), ("CLAUDIA_ACTIONS", "Hello"), ("CLAUDIA_HEARD", "座って")]
assert j.send([("MESSAGE", "立つ\\n座る"), *sit])
assert j.send([("MESSAGE", "x" * 600_000), ("CLAUDIA_MARK", "large")])
assert j.send([("MESSAGE", "end"), ("CLAUDIA_MARK", "last")])
"""


@pytest.mark.real
def test_journald_understands_it() -> None:
    """A real one: a line break, a repeated field that can be asked for by one of its values, a message as a file."""
    if not JOURNALD.exists():
        without("systemd-journald is not here: apt-get install systemd")
    if subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0:
        without("no mount namespace may be made here, so no journald of its own: run it as root")
    done = subprocess.run(
        [*ALONE, "sh", "-c", LIFE, "sh", str(JOURNALD), sys.executable, SENDS],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    first, large, heard = done.stdout.splitlines()
    assert json.loads(first)["MESSAGE"] == "立つ\n座る"
    assert json.loads(first)["CLAUDIA_ACTIONS"] == ["Sit", "Hello"]
    assert len(json.loads(large)["MESSAGE"]) == 600_000
    assert heard == "座って"
