"""What `purify` promises of every text, and where its findings lie."""

from __future__ import annotations

import signal
import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from claudiad.purity import latin
from claudiad.purity.filter import KINDS, QUICK, is_quick, purify
from claudiad.purity.repertoire import is_clean, speakable
from claudiad.purity.traced import MOST_MARKS, Traced

# Pieces that models really produce, so that random texts meet the filter's rules and not only its last sieve.
WORDS = """\
<think> </think> ``` ```json ** __ { } "reply":" "r":" "a":1009} はい 立ちます 。 、 ！ ? - 1. # [ ]( ) | https://a.b/c
然后 很好 这 么 OK Go2 hello world 한국 85% -5℃ 5cm 10:30 ~ … 😊 1,000 . 5 ー ・ 「 」 ﾊﾝ 﨑 (笑) 担心 前扑 します
电池 Ⅲ ½ ™ (1016) 今日 本当 ３ ٣ é ß null 朝昼 好 的 是 机器人 跳舞 して \\u3042 \\n のは て で 拿到 说明 寫眞 ㈱ ㎏ ゙"""
PIECES = st.sampled_from([*WORDS.split(), "\n", " ", "- ", "# ", "\x00", "\u202e", "\u3099", "\ud800"])
TEXTS = st.text() | st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join)
HAN = st.text(
    alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF) | st.sampled_from("はのをします、。"),
    max_size=20,
)


PATIENCE_S = 4.0
"""Of processor time. The slowest of them takes a quarter of it; 20,000 letters once took 15 s."""


@given(TEXTS | HAN)
@example("立ちます然后は挨拶します")
def test_what_comes_out_is_clean_speakable_and_its_own_result(text: str) -> None:
    """Whatever goes in: every character that comes out is allowed, and it comes out of itself, pure."""
    clean = purify(text).clean
    if clean is not None:
        assert [c for c in clean if not is_clean(c)] == []
        assert speakable(clean)
        again = purify(clean)
        assert (again.clean, again.pure, again.left_out) == (clean, True, 0)


@given(TEXTS | HAN)
def test_findings_are_parts_of_the_text_in_its_order(text: str) -> None:
    """Each finding names a kind there is, and its positions are those of its words in the text that was given."""
    purified = purify(text)
    assert purified.pure == (purified.findings == ())
    assert list(purified.findings) == sorted(purified.findings)
    for finding in purified.findings:
        assert finding.kind in KINDS
        assert finding.text == text[finding.start : finding.end] != ""


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("立ちます然后は挨拶します", [(4, 7, "chinese", "然后は")]),
        ("前扑します", [(0, 3, "chinese", "前扑し")]),
        (
            "**はい**、😊OK",
            [(0, 2, "markup", "**"), (4, 6, "markup", "**"), (7, 8, "emoji", "😊"), (8, 10, "latin", "OK")],
        ),
        ("5ｃｍ進む", [(1, 3, "unit", "ｃｍ")]),
        ("これは担心です", [(3, 5, "joint", "担心")]),
        ("电池です", [(0, 1, "variant", "电")]),
        ("네、はい", [(0, 1, "script", "네")]),
        ("２５℃、８５％！", []),
    ],
)
def test_a_finding_lies_where_it_was(text: str, findings: list[tuple[int, int, str, str]]) -> None:
    """Positions survive all that is rewritten before something is found; punctuation and digits are no findings."""
    found = [(f.start, f.end, f.kind, f.text) for f in purify(text).findings if f.kind != "vocabulary"]
    assert found == findings


def test_repairs_and_what_is_left_out_are_counted() -> None:
    """A caller can count repairs by kind, and clauses that were lost."""
    purified = purify("**立ちます**然后座ります。これは担心です。")
    assert purified.clean == "立ちます。それから座ります。"
    assert purified.repairs.keys() >= {"markup", "chinese", "joint"}
    assert purified.repairs["markup"] == 2
    assert purified.left_out == 1


def test_empty_text_is_pure_and_says_nothing() -> None:
    """An empty line, or one of marks alone, is no fault."""
    for text in ("", " ", "。。、", "\n"):
        purified = purify(text)
        assert (purified.clean, purified.pure, purified.findings) == (None, True, ())


def test_a_very_long_text_is_cleaned_too() -> None:
    """Length is no way around it: 60,000 characters without a blank or a mark are judged like six."""
    assert purify("担心" * 30_000).clean is None
    assert purify("立ちます。" * 20_000).pure
    assert purify("a" * 60_000).clean is None
    assert purify("10" * 30_000).clean == "10" * 30_000


RUNS = """\
a a. a- a' 10 1/ 1⁄ . / - @ ー ( < { ` * [ ![ [a]( " ' \\ http://a <!-- <think "r": id api_id (^ (_ ・ 、 动 然后は"""


@pytest.mark.parametrize("run", [*RUNS.split(), "^", " ", "\n", "\u3000", "( ", "id  "], ids=repr)
def test_no_run_of_anything_holds_it_up(run: str) -> None:
    """What is repeated costs as often as it is repeated, not the square of that: the latter would be given up."""

    def give_up(signum: int, frame: object) -> None:
        raise AssertionError(f"{run!r}: {PATIENCE_S} s of processor time")

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE_S)
    try:
        assert all(map(is_clean, purify("(\n" + (run * 30_000)[:30_000] + "あ").clean or ""))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def test_a_heap_of_combining_marks_is_cut_down() -> None:
    """To put them in order takes the square of their number: as many are kept as any language needs."""
    heap = Traced.of("か" + "\u0301\u0316" * 5_000)
    assert len(heap.compatible().text) == 1 + MOST_MARKS
    assert purify(heap.text + "です").clean == "かです"


def test_threads_share_the_tokeniser() -> None:
    """Two threads that purify at the same time both get their answers."""
    texts = [f"これは担心です。{n}回目の挨拶です。" for n in range(200)]
    results: dict[int, list[str | None]] = {}

    def work(number: int) -> None:
        results[number] = [purify(text).clean for text in texts]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results[0] == results[1] == [f"{n}回目の挨拶です。" for n in range(200)]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("OK", "オーケー"),
        ("Go2", "ゴーツー"),
        ("CEO", "シーイーオー"),
        ("T", "ティー"),
        ("StandUp", "スタンドアップ"),
        ("R2", "アール2"),
        ("x" * 40, ""),
    ],
)
def test_latin_words_are_said_by_table_or_letter_by_letter(word: str, said: str) -> None:
    """A table first, then the letters of an abbreviation; a string of code is not guessed at."""
    assert latin.say_word(word) == said


def test_the_converter_is_loaded_for_unknown_words_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Known words and abbreviations need no model; an unknown word is asked of it once, and remembered."""
    asked: list[str] = []

    def converter() -> object:
        return lambda word: asked.append(word) or "ヌヌ"

    monkeypatch.setattr(latin, "_converter", converter)
    latin._guess.cache_clear()
    assert purify("OK、USBとCEOです").clean == "オーケー、ユーエスビーとシーイーオーです"
    assert asked == []
    assert [purify(text).clean for text in ("flurbです", "Flurbと")] == ["ヌヌです", "ヌヌと"]
    assert asked == ["flurb"]
    latin._guess.cache_clear()


def test_warming_loads_the_converter(monkeypatch: pytest.MonkeyPatch) -> None:
    """After it the first unknown word finds the model in memory."""
    loaded: list[str] = []
    monkeypatch.setattr(latin, "_converter", lambda: loaded.append("model") or str.upper)
    latin._guess.cache_clear()
    latin.warm()
    assert loaded == ["model"]
    latin._guess.cache_clear()


@given(TEXTS)
@example("はい。" * 30)
def test_what_is_quick_asks_no_model(text: str) -> None:
    """A text an event loop may judge itself is short, and nothing in it is said as a Latin word."""
    if is_quick(text):
        assert len(text) <= QUICK
        assert not {"latin", "english", "unit"} & purify(text).repairs.keys()


@pytest.mark.parametrize(
    ("text", "quick"),
    [
        ("はい、順番にやります。", True),
        ("電池は残り12.5パーセントです。", True),
        ("flurbです", False),
        ("ｆｌｕｒｂです", False),
        ("𝐟𝐥𝐮𝐫𝐛です", False),
        ("5㎏です", False),
        ("はい。" * 40, False),
    ],
)
def test_a_canned_reply_is_quick(text: str, quick: bool) -> None:
    """Whatever is long or could become Latin letters is not."""
    assert is_quick(text) == quick
