"""`claudiad bench models`, with a scripted Ollama on a port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from claudiad.app import bench_table, cli
from claudiad.app.bench_table import remarks
from claudiad.clock import SystemClock
from claudiad.llm.cases import Case
from claudiad.llm.comparison import Result, Speeds, judge
from claudiad.llm.measured import Measured
from claudiad.robot import registry
from tests.fakes.ollama import FakeOllama, OllamaTcp, ScriptedModel

GOOD = {
    "立ってそして": '{"a":[1004,1016],"r":"立ちます。それから挨拶しますね。"}',
    "": '{"a":[],"r":"少し休んでくださいね。"}',
}
CHINESE = {"立ってそして": '{"a":[1018],"r":"立ちます然后は挨拶します"}', "": GOOD[""]}
CASES = "# two\n立ってそして挨拶して\tStandUp Hello\n疲れた\t-\tdialog\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with two cases, on a computer without Ollama."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    monkeypatch.setenv("COLUMNS", "150")
    (tmp_path / "cases.tsv").write_text(CASES, encoding="utf-8")
    return tmp_path


@pytest.fixture
async def core(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeOllama]:
    """The same computer with a good model and a bad one."""
    made = FakeOllama(SystemClock(), [ScriptedModel("good", answers=GOOD), ScriptedModel("bad", answers=CHINESE)])
    async with OllamaTcp(made) as front:
        monkeypatch.setenv("OLLAMA_HOST", front.url)
        yield made


async def bench(*words: str) -> int:
    """`claudiad bench models`, in a thread: it has an event loop of its own."""
    return await asyncio.to_thread(cli.main, ["bench", "models", *words])


async def test_two_models_stand_beside_each_other(core: FakeOllama, folder: Path, capsys: Any) -> None:
    """Machine, scores, the cases that differ, how sure it is; progress on standard error; everything in a file."""
    assert await bench("good", "bad", "--cases", "cases.tsv", "--repeat", "2", "--warm") == 0
    out, err = capsys.readouterr()
    assert "2 cases, Ollama 0.33.0 at http://127.0.0.1:" in out
    assert "cores, load" in out
    assert "quality, of 100" in out
    assert "invented 1018" in out
    assert "good was better in 1 cases, bad in 0; of two equal models, 100% would differ at least as much" in out
    assert "every answer: bench-models.json" in out
    assert "4/4" in err
    written = json.loads((folder / "bench-models.json").read_text(encoding="utf-8"))
    assert set(written["machine"]) == {"cpu", "cores", "load", "python"}
    assert (written["repeat"], written["warm"], written["cases"]) == (2, True, "cases.tsv")
    assert [model["quality"] for model in written["models"]] == [100.0, pytest.approx(55.0)]
    bad = written["models"][1]["attempts"][0]
    assert (bad["line"], bad["said"], bad["invented"]) == (2, "立ってそして挨拶して", ["1018"])
    assert bad["text"] == CHINESE["立ってそして"]


async def test_as_json_it_is_one_object_a_model(core: FakeOllama, folder: Path, capsys: Any) -> None:
    """And nothing else; a model that is not there is one of them."""
    words = ("good", "none:1b", "--cases", "cases.tsv", "--json", "--out", "mine.json")
    assert await bench(*words) == 0
    out, err = capsys.readouterr()
    good, none = map(json.loads, out.splitlines())
    # Not its speed: a model that needs no time has one by chance. tests/llm/test_comparison.py has that.
    assert (good["label"], good["accuracy"], good["failed"]) == ("good", 1.0, 0)
    assert (none["label"], none["quality"], none["failed"]) == ("none:1b", 0.0, 2)
    assert err == ""
    assert len(json.loads((folder / "mine.json").read_text(encoding="utf-8"))["models"]) == 2


async def test_one_model_with_two_prompts(core: FakeOllama, folder: Path, capsys: Any) -> None:
    """The prompt file's words are what the model is told."""
    shipped = Path(bench_table.__file__).parents[1] / "data" / "prompts.toml"
    text = shipped.read_text(encoding="utf-8").replace("クラウディア", "ポチ")
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    assert await bench("good", "good@mine.toml", "--cases", "cases.tsv", "--json") == 0
    labels = [json.loads(line)["label"] for line in capsys.readouterr().out.splitlines()]
    assert labels == ["good", "good@mine.toml"]
    chats = [each.fields["messages"] for each in core.requests if each.path == "/api/chat" and each.fields["messages"]]
    assert ["ポチ" in messages[0]["content"] for messages in chats] == [False] * (len(chats) // 2) + [True] * (
        len(chats) // 2
    )


@pytest.mark.parametrize("before", [None, "of the last time"])
async def test_without_a_server_there_is_one_line(folder: Path, capsys: Any, before: str | None) -> None:
    """Exit status 69; no file of results where there was none, and an older one is as it was."""
    results = folder / "bench-models.json"
    if before is not None:
        results.write_text(before, encoding="utf-8")
    assert await bench("good", "bad", "--cases", "cases.tsv") == 69
    err = capsys.readouterr().err
    assert err.startswith("claudiad bench: Ollama at http://127.0.0.1:1: nobody answers there: is it running")
    assert err.count("\n") == 1
    assert (results.read_text(encoding="utf-8") if results.exists() else None) == before


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--cases", "bad.tsv"), "bad.tsv:2: Jump: no action that a model may choose"),
        (("--cases", "nowhere.tsv"), "nowhere.tsv:0: cannot be read"),
        (("good@nowhere.toml", "--cases", "cases.tsv"), "nowhere.toml:0: cannot be read"),
        (("--cases", "cases.tsv", "--out", "no/such/folder.json"), "no/such/folder.json:0: cannot be written"),
    ],
)
async def test_a_malformed_file_is_named_before_anything_is_asked(
    core: FakeOllama, folder: Path, capsys: Any, words: tuple[str, ...], fault: str
) -> None:
    """File, line and fault; exit status 65."""
    (folder / "bad.tsv").write_text("# cases\n立って\tJump\n", encoding="utf-8")
    assert await bench("good", *words) == 65
    assert capsys.readouterr().err.startswith(f"claudiad bench: {fault}")
    assert core.requests == []


@pytest.mark.parametrize(
    "words", [(), ("good", "--repeat", "0"), ("good", "--deadline", "0"), ("good", "--deadline", "nan")]
)
async def test_a_wrong_command_line_is_refused(folder: Path, words: tuple[str, ...]) -> None:
    """As everywhere: 64."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["bench", "models", *words])
    assert ended.value.code == 64


def result(label: str, speeds: Speeds, fault: str = "") -> Result:
    table = registry.load()
    case = Case(1, "疲れた", ((),), None)
    got = Measured("" if fault else '{"a":[],"r":"はい。"}', 100.0, 200.0, None, fault)
    return Result(label, label, 0.0, None, (judge(case, got, {}, table, 1000.0),) * 3, speeds)


def test_a_drop_of_speed_is_a_warning_with_its_remedy() -> None:
    """And a fault is said once, with how often it happened."""
    assert remarks([result("m", Speeds(37.0, 5.0), "m: not done in 30 s")]) == [
        "WARNING: m has become slow: 5.0 tokens/s after the cases instead of 37.0 before; keep models loaded "
        "(keep_alive); reboot",
        "m: 3 times: m: not done in 30 s",
    ]
    assert remarks([result("m", Speeds(37.0, 36.0))]) == []


def test_many_wrong_cases_are_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has all of them; without a wrong one there is no table."""
    monkeypatch.setattr(bench_table, "MOST_LINES", 2)
    table = bench_table.wrong_table([result("m", Speeds(None, None), "gone")])
    assert table is not None
    assert (table.row_count, table.caption) == (2, "and 1 more")
    assert bench_table.wrong_table([result("m", Speeds(None, None))]) is None
