"""What a language model may get done: registered actions, all it named or none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.brain.phrases import parse_action
from claudiad.brain.proposal import MAX_REPLY, MAX_STEPS, MAX_UNKNOWN, Proposal, read_proposal
from claudiad.errors import DataError
from claudiad.robot import registry
from claudiad.types import Action
from tests.brain.conftest import ACTIONS

HELLO, SIT, STOP = Action("Hello", 1016), Action("Sit", 1009), Action("stop", 1003)
NOTHING = Proposal((), "", (), valid=False)
FOREIGN = 1018
"""An id that the robot's service knows and the registry does not."""


def names(proposal: Proposal) -> list[str]:
    return [action.name for action in proposal.actions]


@pytest.mark.parametrize(
    ("output", "actions"),
    [
        ({"a": [1016], "r": "はい。"}, (HELLO,)),
        ({"a": [1009, 1016], "r": "はい。"}, (SIT, HELLO)),
        ({"a": ["Hello", "Sit"], "r": "はい。"}, (HELLO, SIT)),
        ({"a": [{"name": "Hello"}, 1009], "r": "はい。"}, (HELLO, SIT)),
        ({"a": [{"name": 1016}], "r": "はい。"}, (HELLO,)),
        ({"a": [], "r": "はい。"}, ()),
        ({"r": "はい。"}, ()),
        ({"r": "はい。", "a": None}, ()),
        ({"r": "はい。", "a": 1016}, (HELLO,)),
        ({"r": "はい。", "a": 1016, "seq": []}, (HELLO,)),
        ({"r": "はい。", "a": 1016, "seq": None}, (HELLO,)),
        ({"r": "はい。", "a": 1016, "seq": [1009, "Hello"]}, (SIT, HELLO)),
        ({"r": "はい。", "a": "Fly", "seq": [1009]}, (SIT,)),
        ({"r": "はい。", "a": "stop"}, (STOP,)),
        ({"r": "はい。", "a": {"name": "Hello"}}, (HELLO,)),
    ],
)
def test_both_forms_are_read_in_order(output: object, actions: tuple[Action, ...]) -> None:
    """Steps as a list, one step alone, and the older form in which a sequence stands instead of the one action."""
    assert read_proposal(output, ACTIONS) == Proposal(actions, "はい。", (), valid=True)


@pytest.mark.parametrize("written", [1016, 1016.0, "1016", "Hello", "hello", "HELLO", "_hel_lo"])
def test_an_action_may_be_called_by_id_or_name(written: object) -> None:
    """Integer, integral float, decimal string, and the name in any case, with or without underscores."""
    assert read_proposal({"a": [written], "r": ""}, ACTIONS) == Proposal((HELLO,), "", (), valid=True)


@pytest.mark.parametrize(
    "written",
    ["StandUp", "stand_up", "standup", "STAND__UP", "ｓｔａｎｄｕｐ", "stand-up", "スタンド", "Stand", "_"],
)
def test_names_are_compared_as_in_the_phrase_table(written: str) -> None:
    """A name is known here exactly when a phrase file may use it."""
    try:
        known = parse_action(written, ACTIONS, "here")
    except DataError:
        known = ()
    assert read_proposal({"a": [written], "r": ""}, ACTIONS).actions == known


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (FOREIGN, "1018"),
        (float(FOREIGN), "1018.0"),
        ("1018", "1018"),
        (1016.5, "1016.5"),
        (-1016, "-1016"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        ("1016.0", "1016.0"),
        ("0x3f8", "0x3f8"),
        ("１０１６", "１０１６"),
        ("01016", "01016"),
        (" 1016", "1016"),
        ("宙\n返り\x07\ud800", "宙 返り"),
        pytest.param("x" * 10**6, "x" * MAX_UNKNOWN, id="a long one"),
        pytest.param(10**5000, "a number of 16610 bits", id="too long for Python to write out"),
        (0, "0"),
        ("", ""),
    ],
)
def test_what_is_not_registered_is_named_and_not_done(written: object, shown: str) -> None:
    """The form is right, the action is not there: reported, shortened, nothing else."""
    assert read_proposal({"a": [written], "r": "はい。"}, ACTIONS) == Proposal((), "はい。", (shown,), valid=True)
    assert read_proposal({"a": [{"name": written}], "r": ""}, ACTIONS).unknown == (shown,)


@pytest.mark.parametrize("place", range(3))
def test_one_unknown_step_keeps_all_of_them_back(place: int) -> None:
    """A sequence with a hole in it would go on in the wrong place."""
    steps: list[object] = [1009, "Hello"]
    steps.insert(place, "Fly")
    assert read_proposal({"a": steps, "r": "はい。"}, ACTIONS) == Proposal((), "はい。", ("Fly",), valid=True)


@pytest.mark.parametrize(
    "output",
    [
        None,
        [],
        [1016],
        "Hello",
        1016,
        True,
        {},
        {"a": [1016]},
        {"a": [1016], "r": None},
        {"a": [1016], "r": ["はい。"]},
        {"a": True, "r": ""},
        {"a": [True], "r": ""},
        {"a": [None], "r": ""},
        {"a": [[1016]], "r": ""},
        {"a": [1016, {}], "r": ""},
        {"a": [{"id": 1016}], "r": ""},
        {"a": [{"name": True}], "r": ""},
        {"a": [{"name": ["Hello"]}], "r": ""},
        {"a": 1016, "seq": 1016, "r": ""},
        {"a": 1016, "seq": {"name": "Hello"}, "r": ""},
        {"a": 1016, "seq": [None], "r": ""},
    ],
)
def test_what_has_another_form_does_nothing(output: object) -> None:
    """Wrong types anywhere, or no reply: not valid, and nothing of it is used. A bool is never an id."""
    assert read_proposal(output, {**ACTIONS, "one": 1, "nought": 0}) == NOTHING


def test_a_bool_is_no_id_even_when_one_and_nought_are_registered() -> None:
    """Python takes True for 1; a registry with such ids shows that this module does not."""
    assert names(read_proposal({"a": [1, 0], "r": ""}, {"one": 1, "nought": 0})) == ["one", "nought"]
    assert read_proposal({"a": [True, False], "r": ""}, {"one": 1, "nought": 0}) == NOTHING


@pytest.mark.parametrize("form", ["a", "seq"])
def test_more_than_six_steps_are_none(form: str) -> None:
    """Six come out as they are; of seven nothing does, and the reply is kept for the caller to judge."""
    assert names(read_proposal({form: [1016] * MAX_STEPS, "r": ""}, ACTIONS)) == ["Hello"] * MAX_STEPS
    seven = {form: [1016] * (MAX_STEPS + 1), "r": "はい。"}
    assert read_proposal(seven, ACTIONS) == Proposal((), "はい。", (), valid=False)


def test_parameters_are_finite_numbers_and_bools() -> None:
    """Anything else is left out; numbers out of range stay, for safety clamps them."""
    step = {
        "name": "move", "x": 0.3, "y": -7, "yaw": 10**6, "data": True, "nan": math.nan, "inf": -math.inf,
        "huge": 10**400, "text": "0.3", "list": [1], "nested": {"x": 1}, "nothing": None, 7: 1.0,
    }  # fmt: skip
    (action,) = read_proposal({"a": [step], "r": ""}, ACTIONS).actions
    assert action == Action("move", 1008, {"x": 0.3, "y": -7, "yaw": 10**6, "data": True})
    assert action.params["data"] is True


def test_the_id_is_always_the_registered_one() -> None:
    """What a model writes beside the name does not replace it."""
    (action,) = read_proposal({"a": [{"name": "hello", "api_id": FOREIGN, "id": FOREIGN}], "r": ""}, ACTIONS).actions
    assert (action.name, action.api_id, action.inserted) == ("Hello", 1016, False)


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("はい。\n座ります。\x00\x1b[0m", "はい。 座ります。[0m"),
        (" はい\u3000そうです\u200b\u202e ", "はい そうです"),
        ("は\ud83dい", "はい"),
        pytest.param("あ" * 10**6, "あ" * MAX_REPLY, id="a long one"),
        ("", ""),
    ],
)
def test_the_reply_is_cut_and_free_of_control_characters(said: str, reply: str) -> None:
    """What reaches the purity filter and the log is bounded and printable."""
    assert read_proposal({"a": [], "r": said}, ACTIONS).reply == reply


def test_nesting_without_end_does_nothing() -> None:
    """Depth costs nothing: what is nested is not looked into."""
    deep: object = 1016
    for _ in range(100_000):
        deep = [deep]
    assert read_proposal(deep, ACTIONS) == NOTHING
    assert read_proposal({"a": deep, "r": ""}, ACTIONS) == NOTHING
    assert names(read_proposal({"a": [{"name": "Hello", "x": deep}], "r": ""}, ACTIONS)) == ["Hello"]


def test_the_shipped_registry_can_be_chosen_from() -> None:
    """Every registered action answers to its name, and those of the sport service to their id as well."""
    shipped = {spec.name: spec.api_id for spec in registry.load().values()}
    for name, spec in registry.load().items():
        called = [spec.api_id, name, str(spec.api_id)] if spec.service == "sport" else [name]
        assert names(read_proposal({"a": called, "r": ""}, shipped)) == [name] * len(called)


def test_an_id_of_two_services_is_the_sport_services() -> None:
    """1001 from a model is Damp, which safety refuses it: never a picture taken by mistake, nor the other way round."""
    shipped = {spec.name: spec.api_id for spec in registry.load().values()}
    assert shipped["Photo"] == shipped["Damp"] == 1001
    (named, numbered) = read_proposal({"a": ["photo", 1001], "r": ""}, shipped).actions
    assert (named.name, numbered.name) == ("Photo", "Damp")


def test_a_registry_with_nothing_in_it_gives_nothing() -> None:
    """No name is built in, not even the stop."""
    assert read_proposal({"a": ["stop", 1003], "r": ""}, {}) == Proposal((), "", ("stop", "1003"), valid=True)


TEXT = st.text(st.characters(), max_size=6)  # lone surrogates and control characters among them
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(1000, 1100)
    | st.just(FOREIGN)
    | st.floats()
    | TEXT
    | st.sampled_from([*ACTIONS, *ACTIONS.values(), 10**400, "1018", 1018.0, "a", "r", "seq", "name"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "r", "seq", "name", "x"]) | TEXT, inner, max_size=4)
    ),
    max_leaves=5,
)
CALLED = st.sampled_from(
    [*ACTIONS, *ACTIONS.values(), *map(str, ACTIONS.values()), *map(float, ACTIONS.values())]
) | st.sampled_from([FOREIGN, "1018", 1018.0, "Wallow", True, None, 1016.5])
STEP = CALLED | st.builds(
    lambda name, params: {**params, "name": name}, CALLED, st.dictionaries(st.sampled_from("xyz"), SCALARS, max_size=2)
)
NEARLY = st.fixed_dictionaries(
    {"r": TEXT | SCALARS}, optional={"a": st.lists(STEP, max_size=8) | STEP, "seq": st.lists(STEP, max_size=8)}
)
VALID = st.fixed_dictionaries({"r": TEXT, "a": st.lists(st.sampled_from([*ACTIONS, *ACTIONS.values()]), max_size=6)})


def check(output: object) -> Proposal:
    """Everything that holds for any answer of a model."""
    proposal = read_proposal(output, ACTIONS)
    for action in proposal.actions:
        assert ACTIONS[action.name] == action.api_id != FOREIGN
        assert not action.inserted
        assert all(type(v) in (bool, int, float) and math.isfinite(v) for v in action.params.values())
    assert len(proposal.actions) <= MAX_STEPS
    assert not proposal.actions or (proposal.valid and not proposal.unknown)
    assert len(proposal.unknown) <= MAX_STEPS
    assert all(len(name) <= MAX_UNKNOWN and name.isprintable() for name in proposal.unknown)
    assert len(proposal.reply) <= MAX_REPLY
    assert proposal.reply.isprintable()
    return proposal


@given(JSON)
@settings(max_examples=2500, deadline=None)
def test_no_answer_raises_or_names_an_action_of_its_own(output: object) -> None:
    """Whatever JSON a model writes, only registered actions come out, whole or not at all."""
    check(output)


@given(NEARLY)
@settings(max_examples=6000, deadline=None)
def test_no_answer_of_nearly_the_right_form_does_so_either(output: dict[str, object]) -> None:
    """The same close to the two forms, where a wrong id, a bool or a seventh step could slip through."""
    check(output)


@given(VALID)
@settings(max_examples=2000, deadline=None)
def test_what_is_right_comes_out_whole(output: dict[str, list[str | int]]) -> None:
    """Nothing registered is lost: as many steps as were named, in their order."""
    proposal = check(output)
    by_id = {api_id: name for name, api_id in reversed(ACTIONS.items())}  # of two, the first counts
    assert names(proposal) == [by_id[step] if isinstance(step, int) else step for step in output["a"]]
    assert proposal.valid
