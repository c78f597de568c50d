"""Loading: every fault is one line with file and line number."""

from __future__ import annotations

from pathlib import Path

import pytest

from claudiad.brain.answers import for_the_hour
from claudiad.brain.conjugate import words
from claudiad.brain.display import load_speller
from claudiad.brain.motion import load_motions
from claudiad.brain.normalise import load_edges
from claudiad.brain.phrases import load_phrases
from claudiad.brain.reading import reading
from claudiad.brain.router import Router, Tables, load_tables
from claudiad.brain.stops import load_stops
from claudiad.errors import DataError
from tests.brain.conftest import ACTIONS, STANDING, write


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("# c\n座って\tSit\n", ":2: 2 columns"),
        ("座って\tSit\taction\tはい\tx\n", ":1: 5 columns"),
        ("座って\tFly\taction\tはい\n", ":1: unknown action 'Fly'"),
        ("座って\tSit\tsay\tはい\n", ":1: kind 'say'"),
        ("座って\tSit\tnone\tはい\n", ":1: kind 'none'"),
        ("座って\t-\taction\tはい\n", ":1: kind action and action '-'"),
        ("座って\tSit\tdialog\tはい\n", ":1: kind dialog and action 'Sit'"),
        ("。\tSit\taction\tはい\n", ":1: '。' has no reading"),
        ("\tSit\taction\tはい\n", ":1: the phrase is empty"),
        ("進め\tmove x\taction\tはい\n", ":1: parameter 'x'"),
        ("進め\tmove x=far\taction\tはい\n", ":1: 'far'"),
        ("進め\tmove x=nan\taction\tはい\n", ":1: 'nan'"),
        ("進め\tmove x=inf\taction\tはい\n", ":1: 'inf'"),
        ("進め\tmove x=1e9\taction\tはい\n", ":1: '1e9'"),
        ("座って\tSit\taction\tはい\n\nすわって\tStandUp\taction\tはい\n", ":3: すわって sounds like 座って"),
        ("=sit\tSit\taction\tはい\n=Sit!\tStandUp\taction\tはい\n", ":2: =Sit! is already there"),
    ],
)
def test_a_faulty_phrase_file_names_the_line(text: str, fault: str, tmp_path: Path) -> None:
    """The message begins with the file and the line of the fault."""
    path = write(tmp_path, text)
    with pytest.raises(DataError) as error:
        load_phrases([path], ACTIONS)
    assert str(error.value).startswith(f"{path}{fault}")


def test_two_derived_forms_that_disagree_are_a_fault(tmp_path: Path) -> None:
    """A form two lines would derive with different actions is not settled by chance."""
    path = write(tmp_path, "切って\tStandUp\taction\tはい\n着て\tSit\taction\tはい\n")
    with pytest.raises(DataError, match=r":2: 着れ, from 着て, sounds like a form of 切って"):
        load_phrases([path], ACTIONS)


def test_a_line_beats_a_form_of_another_line(tmp_path: Path) -> None:
    """挨拶しろ of its own is not the imperative of 挨拶."""
    path = write(tmp_path, "挨拶\tHello\taction\tはい\n挨拶しろ\tSit\taction\tはい\n")
    assert [p.text for _, p in load_phrases([path], ACTIONS).lexicon.find("アイサツシロ")] == ["挨拶しろ"]


def test_a_file_of_ones_own_adds_phrases_and_may_leave_out_the_kind(tmp_path: Path) -> None:
    """Three columns, a name as the SDK or the registry writes it, and every form of the new verb."""
    path = write(tmp_path, "ぴょこんとして\tstand_up\tはい。\n")
    router = Router(load_tables(ACTIONS, [path]))
    assert router.decide("ぴょこんとしてください", STANDING).actions[0].api_id == 1004


def test_a_phrase_of_ones_own_cannot_silently_replace_a_shipped_one(tmp_path: Path) -> None:
    """座って stays what it is; the fault names the user's file."""
    path = write(tmp_path, "すわって\tDance1\tはい。\n")
    with pytest.raises(DataError, match=r"table\.tsv:1: すわって sounds like 座って"):
        load_tables(ACTIONS, [path])


def test_a_missing_file_and_a_file_that_is_not_utf8_are_faults(tmp_path: Path) -> None:
    """Neither an OSError nor a UnicodeDecodeError escapes."""
    with pytest.raises(DataError, match="cannot be read"):
        load_phrases([tmp_path / "none.tsv"], ACTIONS)
    path = tmp_path / "sjis.tsv"
    path.write_bytes("# a\n座って\tSit\tはい\n".encode("shift_jis"))
    with pytest.raises(DataError, match=r"sjis\.tsv:2: is not UTF-8"):
        load_phrases([path], ACTIONS)


def test_the_other_tables_are_checked_too(tmp_path: Path, tables: Tables) -> None:
    """Endings, stops, motions and words each refuse what they do not know, with the line."""
    with pytest.raises(DataError, match=r":1: unknown kind 'tee'"):
        load_edges(write(tmp_path, "tee\tよ\n"))
    with pytest.raises(DataError, match=r":2: a brace is not closed"):
        load_edges(write(tmp_path, "te\tよ\nte\tよ{ね,\n"))
    with pytest.raises(DataError, match=r":1: unknown kind 'halts'"):
        load_stops(write(tmp_path, "halts\tよ\t-\n"))
    with pytest.raises(DataError, match=r":1: the last column"):
        load_stops(write(tmp_path, "said\tよ\tyes\n"))
    with pytest.raises(DataError, match=r":1: unknown class 'fly'"):
        load_motions(write(tmp_path, "fly\t飛んで\n"))
    with pytest.raises(DataError, match=r":1: 犬 is read イヌ"):
        load_speller(tables.phrases, write(tmp_path, "ネコ\t犬\n"))


def test_the_shipped_table_is_large_and_covers_every_action(tables: Tables) -> None:
    """At least 150 phrases, and each registered action can be asked for."""
    assert len(tables.phrases.all) >= 150
    assert {a.name for p in tables.phrases.all for a in p.actions} == set(ACTIONS) - {"stop"}


def test_shipped_phrases_and_replies_are_well_formed(tables: Tables) -> None:
    """Every reply is a Japanese sentence with kana and full stop, without Latin letters or markup."""
    for phrase in tables.phrases.all:
        reply = for_the_hour(phrase.reply, None)
        assert reply.endswith("。"), phrase.text
        assert any("ぁ" <= c <= "ん" for c in reply), phrase.text
        assert not any(c.isascii() for c in reply), reply


def test_every_shipped_phrase_is_its_own_hot_path(tables: Tables, router: Router) -> None:
    """What is in the table is found through the router with its own reply."""
    for phrase in tables.phrases.all:
        decision = router.decide(phrase.text.removeprefix("="), STANDING)
        assert (decision.route, decision.actions) == ("hotpath", phrase.actions), phrase.text


@pytest.mark.parametrize(
    ("phrase", "forms"),
    [
        ("座って", "座って 座った 座っと 座っちょ 座っちゃ 座り 座れ 座る 座ら 座ろう 座ろ 座りゃ 座ん"),
        ("伏せて", "伏せて 伏せた 伏せと 伏せちょ 伏せちゃ 伏せ 伏せろ 伏せよ 伏せれ 伏せる 伏せ 伏せよう 伏せや"),
        ("進んで", "進んで 進んだ 進んど 進んじょ 進んじゃ 進み 進め 進む 進ま 進もう 進も 進みゃ"),
        (
            "静かに歩いて",
            "静かに歩いて 静かに歩いた 静かに歩いと 静かに歩いちょ 静かに歩いちゃ 静かに歩き 静かに歩け 静かに歩く "
            "静かに歩か 静かに歩こう 静かに歩こ 静かに歩きゃ 静かにお歩き",
        ),
        ("来て", "来て"),
        ("挨拶", "挨拶"),
    ],
)
def test_a_te_form_conjugates(phrase: str, forms: str) -> None:
    """The other forms come from the verb class, in writing and in sound."""
    assert " ".join(w.surface for w in words(phrase)) == forms
    assert all(w.key == reading(w.surface) for w in words(phrase) if w.form not in ("rya", "vol", "nn", "nai", "to"))
