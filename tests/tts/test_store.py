"""Fetching, against a real HTTP server on the loopback interface."""

from __future__ import annotations

import argparse
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from claudiad.app import voices_cmd
from claudiad.errors import EngineMissing
from claudiad.tts import manifest
from claudiad.tts.manifest import ListedVoice, VoiceFile
from claudiad.tts.piper import PiperVoiceEngine
from claudiad.tts.store import fetch
from tests.tts.test_engines import TONES

BODIES = {"v.onnx": TONES.read_bytes(), "v.onnx.json": Path(f"{TONES}.json").read_bytes()}


@dataclass
class Server:
    """What the next requests get."""

    url: str = ""
    bodies: dict[str, bytes] = field(default_factory=lambda: dict(BODIES))
    status: dict[str, int] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    lengthless: bool = False


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            body = state.bodies[name]
            self.send_response(state.status.get(name, 200))
            if not state.lengthless:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if name in state.cut else body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        http.shutdown()
        thread.join()


def listed(server: Server, *, sums: bool = True) -> list[ListedVoice]:
    files = tuple(
        VoiceFile(
            name,
            f"{server.url}/{name}",
            len(BODIES[name]) if sums else None,
            hashlib.sha256(BODIES[name]).hexdigest() if sums else None,
        )
        for name in ("v.onnx.json", "v.onnx")
    )
    return [ListedVoice("v", ("w",), "ja", "a voice", "CC0", "here", speech=True, files=files)]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_fetched_voice_speaks(server: Server, tmp_path: Path) -> None:
    """Both files arrive checked, progress reaches the whole, and Piper can use them."""
    seen: dict[str, tuple[int, int | None]] = {}
    fetched = fetch("w", tmp_path / "new", lambda file, got, total: seen.update({file: (got, total)}), listed(server))
    assert fetched.verified
    assert seen == {name: (len(body), len(body)) for name, body in BODIES.items()}
    assert left(tmp_path / "new") == ["v.fetched.json", "v.onnx", "v.onnx.json"]
    assert PiperVoiceEngine(fetched.voice.path, 1.0).synthesise("はい").size


def test_without_sums_what_came_is_recorded(server: Server, tmp_path: Path) -> None:
    """An entry without sums is accepted as unverified, and the record holds the sums."""
    fetched = fetch("v", tmp_path, None, listed(server, sums=False))
    assert not fetched.verified
    sums = {name: hashlib.sha256(body).hexdigest() for name, body in BODIES.items()}
    assert fetched.sums == sums
    assert json.loads((tmp_path / "v.fetched.json").read_text())["sha256"] == sums


def test_a_server_that_announces_no_length_is_accepted(server: Server, tmp_path: Path) -> None:
    """Without sums and without length, what comes is the file."""
    server.lengthless = True
    assert fetch("v", tmp_path, None, listed(server, sums=False)).voice.name == "v"


def test_a_later_fetch_must_match_the_record(server: Server, tmp_path: Path) -> None:
    """Where the manifest has no sum, another file than the first time is refused and the first one stays."""
    fetch("v", tmp_path, None, listed(server, sums=False))
    server.bodies["v.onnx"] = b"other"
    with pytest.raises(EngineMissing, match=r"remove .*v\.fetched\.json"):
        fetch("v", tmp_path, None, listed(server, sums=False))
    assert (tmp_path / "v.onnx").read_bytes() == BODIES["v.onnx"]


def test_an_unreadable_record_does_not_matter(server: Server, tmp_path: Path) -> None:
    """A damaged record is as good as none."""
    (tmp_path / "v.fetched.json").write_text("[1]")
    assert fetch("v", tmp_path, None, listed(server)).verified


@pytest.mark.parametrize("sums", [True, False])
def test_a_truncated_body_is_refused(server: Server, tmp_path: Path, sums: bool) -> None:
    """A connection that ends early leaves nothing behind and says how far it got."""
    server.cut = {"v.onnx"}
    with pytest.raises(EngineMissing, match=r"v\.onnx came cut off, (\d+) of (\d+) bytes: try again"):
        fetch("v", tmp_path, None, listed(server, sums=sums))
    assert left(tmp_path) == []


def test_a_missing_file_is_reported(server: Server, tmp_path: Path) -> None:
    """404 is one line with the status and what to do, and nothing is left behind."""
    server.status = {"v.onnx": 404}
    with pytest.raises(EngineMissing, match=r"answered 404 .*copy v\.onnx into") as caught:
        fetch("v", tmp_path, None, listed(server))
    assert "\n" not in str(caught.value)
    assert left(tmp_path) == []


def test_another_file_of_the_same_size_is_refused(server: Server, tmp_path: Path) -> None:
    """A sum that differs from the manifest's is refused, and nothing is installed."""
    server.bodies["v.onnx"] = bytes(len(BODIES["v.onnx"]))
    with pytest.raises(EngineMissing, match=r"v\.onnx is not the file that the manifest names"):
        fetch("v", tmp_path, None, listed(server))
    assert left(tmp_path) == []


def test_a_longer_file_is_refused(server: Server, tmp_path: Path) -> None:
    """More bytes than the manifest says are not written."""
    server.bodies["v.onnx"] += b"x"
    with pytest.raises(EngineMissing, match=r"larger than the [0-9]+ bytes expected"):
        fetch("v", tmp_path, None, listed(server))
    assert left(tmp_path) == []


def test_no_connection_is_reported(server: Server, tmp_path: Path) -> None:
    """Without a server the error is one line that says what to do instead."""
    voice = listed(server)[0]
    files = tuple(replace(file, url="http://127.0.0.1:1/v") for file in voice.files)
    with pytest.raises(EngineMissing, match=r"no connection .*try again later, or copy") as caught:
        fetch("v", tmp_path, None, [replace(voice, files=files)])
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written_is_reported(server: Server, tmp_path: Path) -> None:
    """A disk fault is not taken for a network fault."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineMissing, match=r"cannot write to .*--to"):
        fetch("v", tmp_path / "file" / "voices", None, listed(server))


@pytest.mark.parametrize(("name", "answer"), [("nobody", "no voice 'nobody' is listed"), ("test-tones", "comes with")])
def test_what_cannot_be_fetched_is_explained(tmp_path: Path, name: str, answer: str) -> None:
    """An unknown name, and a voice that is already there."""
    with pytest.raises(EngineMissing, match=answer):
        fetch(name, tmp_path)


# --- the command ------------------------------------------------------------


def command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    voices_cmd.add_parser(parser.add_subparsers())
    return voices_cmd.run(parser.parse_args(["voices", *words]))


@pytest.fixture
def home(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest of the server's voice and empty voice folders."""
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    lines = ["[[voice]]", 'name = "v"', 'language = "ja"', 'description = "a voice [ja]"', 'licence = "CC0"']
    lines += ['source = "here"', "files = ["]
    lines += [f'{{ file = "{file.file}", url = "{file.url}" }},' for file in listed(server)[0].files]
    (shipped / "manifest.toml").write_text("\n".join([*lines, "]", ""]))
    monkeypatch.setattr(manifest, "shipped_folder", lambda: shipped)
    monkeypatch.setattr(voices_cmd, "shipped_folder", lambda: shipped)
    monkeypatch.setenv("CLAUDIA_VOICES", str(tmp_path / "voices"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return tmp_path


def test_the_command_fetches_and_then_lists(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`fetch --json` prints what came; `list --json` then shows it as installed."""
    assert command("fetch", "v", "--json") == 0
    fetched = json.loads(capsys.readouterr().out)
    assert (fetched["path"], fetched["verified"]) == (str(home / "voices" / "v.onnx"), False)
    assert command("--json") == 0
    [row] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (row["name"], row["path"], row["licence"]) == ("v", fetched["path"], "CC0")


def test_the_command_speaks_to_people(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table shows what can be had; fetching shows the licence first and then where it is."""
    assert command() == 0
    assert "a voice [ja]" in capsys.readouterr().out
    assert command("fetch", "v", "--to", str(home / "there")) == 0
    captured = capsys.readouterr()
    assert "v, licence: CC0" in captured.err
    assert str(home / "there" / "v.onnx") in captured.out


def test_the_command_fails_in_one_line(home: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """A refused fetch is one line on standard error and the error's exit status."""
    server.status = {"v.onnx": 404}
    assert command("fetch", "v", "--json") == EngineMissing.exit_status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert not (home / "voices" / "v.onnx").exists()


def test_fetching_nothing_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """`fetch` without a name says where names are."""
    assert command("fetch") == 64
    assert "claudiad voices" in capsys.readouterr().err
