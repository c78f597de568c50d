"""What leaves while a model writes, and what its answer is in the end."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from claudiad.brain.proposal import MAX_REPLY, Proposal, read_proposal
from claudiad.llm.answer import MAX_TEXT, ActionsClosed, Answer, AnswerReader, Event, ReplyText
from claudiad.types import Action

ACTIONS = {"Hello": 1016, "Sit": 1009, "StandUp": 1004}
HELLO, SIT = Action("Hello", 1016), Action("Sit", 1009)


def read(*pieces: str) -> tuple[list[Event], Answer]:
    reader = AnswerReader(ACTIONS)
    events = [event for piece in pieces for event in reader.feed(piece)]
    return events, reader.finish()


def left(events: list[Event]) -> tuple[list[tuple[Action, ...]], str]:
    """Actions that left early, and words."""
    closed = [event.proposal.actions for event in events if isinstance(event, ActionsClosed)]
    return closed, "".join(event.text for event in events if isinstance(event, ReplyText))


@pytest.mark.parametrize(
    ("text", "known_after"),
    [
        ('{"a":[1016],"r":"はい、挨拶します。"}', '{"a":[1016]'),
        ('{"a": [1016, {"name":"Sit"}, ], "r": "はい。"}', '{"a": [1016, {"name":"Sit"}, ]'),
        ('{"r":"はい。","a":[1016]}', '{"r":"はい。","a":[1016]'),
        ('{"r":"はい。","a":1016,"seq":[]}', '{"r":"はい。","a":1016,"seq":[]'),
        ('{"r":"はい。","a":1016,"seq":null}', '{"r":"はい。","a":1016,"seq":null}'),
        ('{"r":"はい。","seq":[1016,1009],"a":null}', '{"r":"はい。","seq":[1016,1009],"a":null}'),
        ('{"a":1016,"r":"はい。"}', '{"a":1016,"r":"はい。"}'),
        ('{"r":"はい。"}', '{"r":"はい。"}'),
        ('{"a":["He]llo\\"]"],"r":""}', '{"a":["He]llo\\"]"]'),
    ],
)
def test_actions_leave_with_the_character_that_makes_them_certain(text: str, known_after: str) -> None:
    """A list leaves as it closes; one step alone may still be followed by a sequence, and waits for it or the end."""
    reader = AnswerReader(ACTIONS)
    for length, char in enumerate(text, 1):
        if any(isinstance(event, ActionsClosed) for event in reader.feed(char)):
            assert text[:length] == known_after
            break
    else:
        pytest.fail("they never left")


@pytest.mark.parametrize(
    ("text", "form", "actions"),
    [
        ('{"a":[1016],"r":"はい。"}', "current", (HELLO,)),
        ('{"a":1016,"r":"はい。"}', "current", (HELLO,)),
        ('{"r":"はい。","a":1016,"seq":[]}', "older", (HELLO,)),
        ('{"r":"はい。","a":null,"seq":[1009,1016]}', "older", (SIT, HELLO)),
        ('{"r":"はい。","a":1016}', "older", (HELLO,)),
        ('{"a":[1016],"r":"はい。",}', "current", (HELLO,)),
        ('{"a":[1016,],"r":"はい。"}', "current", (HELLO,)),
        ('\ufeff {"a":[1016],"r":"は\0い。"}', "current", (HELLO,)),
        ('```json\n{"a":[1016],"r":"はい。"}\n```', "current", (HELLO,)),
        ('<think>{"a":[1009]} 座る？</think>\n{"a":[1016],"r":"はい。"}', "current", (HELLO,)),
        ('挨拶か{"a":[1009],"r":"違う"}</think>{"a":[1016],"r":"はい。"}', "current", (HELLO,)),
        ('{えっと}</think>{"a":[1016],"r":"はい。"}', "current", (HELLO,)),
        ('{"a":[1016],"r":"はい。"} これでどうでしょう{"a":[1009]}', "current", (HELLO,)),
        ('{"a":[1016],"r":"\\u306f\\u3044。"}', "current", (HELLO,)),
        ('{"a":[1016],"a":[1016],"r":"はい。"}', "current", (HELLO,)),
        ('{"note":{"a":[1009]},"a":[1016],"r":"はい。"}', "current", (HELLO,)),
    ],
)
def test_every_form_and_packaging_is_read_and_streamed(text: str, form: str, actions: tuple[Action, ...]) -> None:
    """What models put around or into an answer changes neither what leaves early nor what it is in the end."""
    events, answer = read(*text)
    assert left(events) == ([actions], "はい。")
    assert answer == Answer(Proposal(actions, "はい。", (), valid=True), "はい。", form, complete=True)


@pytest.mark.parametrize(
    "text",
    [
        'はい、どうぞ。{"a":[1016],"r":"はい。"}',
        'はい{笑}、{"a":[1016],"r":"はい。"}。',
        '答え：\n```json\n{"a":[1016],"r":"はい。"}\n```',
        '[{"a":[1016],"r":"はい。"}]',
        '{"answer":"x"} {"a":[1016],"r":"はい。"}',
        '{"r": はい} {"a":[1016],"r":"はい。"}',
    ],
)
def test_behind_words_nothing_leaves_early(text: str) -> None:
    """Words before the object may yet turn out to be thought, so it is read at the finish only."""
    events, answer = read(*text)
    assert events == []
    assert (answer.proposal.actions, answer.reply, answer.complete) == ((HELLO,), "はい。", True)


@pytest.mark.parametrize(
    ("text", "reply", "form", "complete"),
    [
        ("はい、元気です。\nあなたは？", "はい、元気です。 あなたは？", "text", True),
        ("<think>うーん</think> はい。", "はい。", "text", True),
        ("うーん</think>はい。", "はい。", "text", True),
        ("はい。<think>うーん", "はい。", "text", False),
        ("<think>うーん", "", "none", False),
        ("はい。{'a': [1016]}", "はい。", "text", True),
        ("{'a': [1016], 'r': 'はい。'}", "", "none", False),
        ("```\nはい。\n```", "はい。 ```", "text", True),
        ("[1016]", "", "none", False),
        ("1016", "", "none", False),
        ('{"action":{"a":[1016],"r":"はい。"}}', "", "none", False),
        ("{}", "", "none", False),
        ("", "", "none", False),
        ("！？", "", "none", False),
    ],
)
def test_text_without_an_answer_in_it_moves_nothing(text: str, reply: str, form: str, complete: bool) -> None:
    """Plain text is a reply, known at the finish; thought and broken JSON are none; there are never actions."""
    assert read(*text) == ([], Answer(Proposal((), reply, (), valid=False), reply, form, complete))


@pytest.mark.parametrize(
    ("text", "actions", "reply"),
    [
        ('{"a":[1016],"r":"はい、挨', (HELLO,), "はい、挨"),
        ('{"a":[1016],"r":"はい。"', (HELLO,), "はい。"),
        ('{"a":[1016]', (HELLO,), ""),
        ('{"a":[1016', (), ""),
        ('{"a":10', (), ""),
        ('{"a":1016', (), ""),
        ('{"a":1016,"r":"はい。"', (), "はい。"),
        ('{"r":"はい。","a":1016,"seq":[', (), "はい。"),
        ('{"r":"はい\\u30', (), "はい"),
        ('{"r":"はい\\ud83d\\ude', (), "はい"),
        ('どうぞ{"a":[1016],"r":"はい。', (HELLO,), "はい。"),
    ],
)
def test_of_a_cut_answer_closed_actions_and_the_words_so_far_stand(
    text: str, actions: tuple[Action, ...], reply: str
) -> None:
    """Half a list is no list, and half an id is no id."""
    _, answer = read(*text)
    assert (answer.proposal.actions, answer.reply, answer.complete) == (actions, reply, False)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":[1016],"a":[1009],"r":"はい。"}',
        '{"a":[1016],"seq":[1009],"r":"はい。"}',
        '{"a":[1016],"r":"はい。","r":"いいえ。"}',
        '{"a":[1016],"r":"はい。"}</think>{"a":[1009],"r":"いいえ。"}',
        '{"a":[1016],"r":5}',
        '{"a":[1016],"r":{"a":[1009]}}',
        '{"a":[1016]}',
        '{"a":[1016],"r":"はい。" oops}',
        '{"a":[1016]],"r":"はい。"}',
        '{"a":[true],"r":"はい。"}',
        '{"a":{"id":1016},"r":"はい。"}',
        '{"a":[1004,1009,1004,1009,1004,1009,1004],"r":"はい。"}',
    ],
)
def test_what_contradicts_itself_is_invalid(text: str) -> None:
    """A second opinion behind one that has left, a wrong type or broken JSON: no actions stand in the end."""
    events, answer = read(*text)
    assert not answer.proposal.valid
    assert answer.proposal.actions == ()
    assert len(left(events)[0]) == 1


def test_after_a_second_list_that_differs_nothing_leaves_any_more() -> None:
    """What was executed cannot be taken back, but nothing is added to it."""
    events, answer = read(*'{"a":[1016],"a":[1009],"r":"はい。"}')
    assert left(events) == ([(HELLO,)], "")
    assert answer.reply == "はい。"


def test_an_unknown_action_leaves_as_unknown() -> None:
    """All or nothing, early as well."""
    events, answer = read('{"a":[1016,1018],"r":"はい。"}')
    assert events[0] == ActionsClosed(Proposal((), "", ("1018",), valid=True))
    assert answer.proposal == Proposal((), "はい。", ("1018",), valid=True)


def test_an_emoji_written_in_two_escapes_comes_whole() -> None:
    """No half of a surrogate pair leaves, and one that stays alone is dropped."""
    events, answer = read(*'{"r":"a\\ud83d\\ude00b\\ud83dc\\ude00d\\ud83d\\ud83d\\ude00"}')
    assert left(events)[1] == answer.reply == "a😀bcd😀"


def test_endless_repetition_is_read_to_a_limit() -> None:
    """What a repeating model says is bounded, and the answer counts as cut."""
    events, answer = read('{"a":[1016],"r":"', *["はいはい"] * 5000)
    assert len(left(events)[1]) == len(answer.reply) == MAX_REPLY
    assert (answer.proposal.actions, answer.complete) == ((HELLO,), False)
    assert read("ん" * (2 * MAX_TEXT))[1].complete is False


@pytest.mark.parametrize("text", ['{"a":' + "[" * 5000, "{" * 9000, '{"":' * 3000, '{"a":' + "9" * 7000 + "}"])
def test_deep_and_long_junk_is_no_answer(text: str) -> None:
    """Neither nesting nor length makes it raise or do much work."""
    assert read(text)[1].proposal.actions == ()


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([1016, "Sit", "はい。", 1018]),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.sampled_from(["name", "x", "a"]), inner),
    max_leaves=10,
)
pieces_of_answers = st.sampled_from(
    [
        *(
            "{",
            "}",
            "[",
            "]",
            '"',
            ",",
            ":",
            "\\",
            "\\u",
            "d83d",
            "\\ude00",
            " ",
            "\n",
            "\0",
            "\ufeff",
            "```json\n",
            "```",
        ),
        *("<think>", "</think>", '"a"', '"r"', '"seq"', "1016", "1009", "null", "はい。", '{"a":[1016]', ',"r":"は'),
    ]
)
members = st.lists(st.tuples(st.sampled_from(["a", "r", "seq", "x"]), values), max_size=5)
objects = members.map(lambda kv: "{" + ",".join(f"{json.dumps(k)}:{json.dumps(v)}" for k, v in kv) + "}")
junk = st.lists(pieces_of_answers | st.text(max_size=5), max_size=25).map("".join)
texts = st.one_of(st.text(), junk, objects, st.tuples(junk, objects, junk).map("".join))


@settings(max_examples=400)
@given(texts, st.data())
@example('{"a":[1016],"r":"は\\ud83d\\ude00い"}', None)
def test_how_it_was_cut_into_pieces_changes_nothing(text: str, data: st.DataObject | None) -> None:
    """The same events, their texts joined, and the same answer from one piece, from characters and from any cut."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6))) if data else [3, 20]
    edges = [0, *cuts, len(text)]
    whole, answer = read(text)
    for pieces in ([*text], [text[a:b] for a, b in pairwise(edges)]):
        events, again = read(*pieces)
        assert left(events) == left(whole)
        assert repr(again) == repr(answer)


@settings(max_examples=400)
@given(texts)
def test_what_left_early_is_how_the_answer_begins(text: str) -> None:
    """Actions leave once at most and are the final ones when it is valid; words are the beginning of the reply."""
    events, answer = read(*text)
    closed, said = left(events)
    assert len(closed) <= 1
    assert answer.reply.startswith(said)
    assert answer.reply == answer.proposal.reply
    if answer.proposal.valid and closed:
        assert closed == [answer.proposal.actions]
    if answer.form in ("text", "none"):
        assert closed == []
        assert answer.proposal.actions == ()


@given(st.dictionaries(st.sampled_from(["a", "r", "seq", "x"]), values, min_size=1))
@example({"r": " a \x00 b\u3000\u3000c\x1c ", "a": [1016]})
def test_a_sound_object_is_read_as_the_gate_reads_it(value: dict[str, object]) -> None:
    """What this reader makes of JSON is what the standard parser and the gate make of it."""
    if not value.keys() & {"a", "r", "seq"}:
        return
    events, answer = read(*json.dumps(value))
    expected = read_proposal(json.loads(json.dumps(value)), ACTIONS)
    if expected.valid and left(events)[0] != [expected.actions]:  # a `seq` that came behind a closed list
        expected = Proposal((), expected.reply, (), valid=False)
    assert repr(answer.proposal) == repr(expected)
    assert answer.reply == expected.reply
