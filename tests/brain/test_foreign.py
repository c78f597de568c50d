"""English and Chinese: what moves, what stops, and above all what does neither."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.brain.foreign import Foreign, load_foreign
from claudiad.brain.foreign_outcome import MAX_ACTIONS, ForeignMatch
from claudiad.brain.tables import DATA, rows
from claudiad.errors import DataError
from claudiad.robot.registry import load
from claudiad.types import Action
from tests.brain.conftest import write

ACTIONS = {name: spec.api_id for name, spec in load().items()}
FOREIGN = load_foreign(DATA / "foreign.tsv", ACTIONS)

COMMANDS = """
sit down please → Sit
SIT! → Sit
Claudia, stand up! → StandUp
Hey robot dog, could you lie down for me? → StandDown
can you shake hands with grandpa? → Hello
Can you shake hands with my little brother and my sister? → Hello
say hello to everyone → Hello
wave to the camera → Hello
show grandma your paw → Hello
can I have your paw? → Hello
I want you to sit → Sit
try to stand up → StandUp
go and sit over there → Sit
let's dance → Dance1
let me see you dance → Dance1
Do a little dance for us, would you? → Dance1
do another dance → Dance2
give me a heart → Heart
wiggle your hips → WiggleHips
strike a pose for the photo → Pose data=true
do a backflip → BackFlip
stand on your hind legs → WalkUpright data=true
slow down → SpeedLevel data=-1
walk a bit faster → SpeedLevel data=1
normal speed → SpeedLevel data=0
sit sit sit → Sit
Sit, sit, sit! → Sit
good boy, sit → Sit
thanks, now sit down → Sit
坐下 → Sit
请坐 → Sit
坐一下吧 → Sit
快点坐下 → Sit
你能坐下吗？ → Sit
能不能站起来 → StandUp
站起来吧 → StandUp
請站起來 → StandUp
趴下，好不好 → StandDown
给大家跳个舞 → Dance1
可以给我们跳个舞吗 → Dance1
跳个舞给爷爷看看 → Dance1
跟爷爷握个手 → Hello
和我的小朋友们握握手 → Hello
打個招呼吧 → Hello
给我比个心 → Heart
伸个懒腰 → Stretch
扭扭屁股 → WiggleHips
做个后空翻 → BackFlip
慢一点 → SpeedLevel data=-1
走快一点 → SpeedLevel data=1
Claudia，坐下 → Sit
"""

MOTIONS = """
turn left → move yaw=1.5708
can you turn right please → move yaw=-1.5708
turn right now → move yaw=-1.5708
turn around → move yaw=3.1416
turn 90 degrees to the left → move yaw=1.5708
rotate a hundred and eighty degrees → move yaw=3.1416
spin → move yaw=6.2832
spin clockwise → move yaw=-6.2832
spin twice → move yaw=6.2832 | move yaw=6.2832
do half a turn to the right → move yaw=-3.1416
walk → move x=0.3
go forward → move x=0.3
step back → move x=-0.3
take two steps back → move x=-0.6
two steps to the left → move y=0.6
move right 30 cm → move y=-0.3
walk two and a half meters → move x=2.5
walk half a metre → move x=0.5
walk one meter and a half → move x=1.5
walk forward 1.5m → move x=1.5
walk one point five meters → move x=1.5
walk twenty-five centimetres backwards → move x=-0.25
walk one hundred centimeters → move x=1
walk for three seconds → move x=1.2
back up for 2 seconds → move x=-0.8
往前走一米 → move x=1
向前走三步 → move x=0.9
走两步 → move x=0.6
再走半米 → move x=0.5
走一米半 → move x=1.5
往前走一点五米 → move x=1.5
走一百零五厘米 → move x=1.05
往前走三秒钟 → move x=1.2
前进 → move x=0.3
後退兩米 → move x=-2
往左边走一步 → move y=0.3
左转 → move yaw=1.5708
向右转九十度 → move yaw=-1.5708
右轉90度 → move yaw=-1.5708
转一圈 → move yaw=6.2832
转两圈 → move yaw=6.2832 | move yaw=6.2832
转身 → move yaw=3.1416
"""

SEQUENCES = """
Stand up, wave and then sit down. → StandUp | Hello | Sit
first sit down, then stand up and finally dance → Sit | StandUp | Dance1
sit after that lie down → Sit | StandDown
go forward two meters and wave → move x=2 | Hello
walk 2m, turn left, walk 1m → move x=2 | move yaw=1.5708 | move x=1
step forward, step forward → move x=0.3 | move x=0.3
wave three times → Hello | Hello | Hello
wave once and dance twice → Hello | Dance1 | Dance1
sit and stay → Sit
Sit. Stay. → Sit
walk two meters, then stop → move x=2
先坐下再站起来 → Sit | StandUp
先坐下，然后站起来，最后跳个舞 → Sit | StandUp | Dance1
站起来跳个舞吧 → StandUp | Dance1
往前走两米然后坐下 → move x=2 | Sit
握手三次 → Hello | Hello | Hello
sit, no, stand up → StandUp
sit down, I mean lie down → StandDown
坐下，不对，站起来 → StandUp
no, sit down → Sit
don't sit, stand up → StandUp
don't sit and dance, just lie down → StandDown
sit down but don't dance → Sit
不要坐下，站起来 → StandUp
不是坐下，是趴下 → StandDown
"""

STOPS = """
stop!
Stop it please
please stop right there, Claudia
can you stop?
stop dancing
will you stop turning around
stop the dance
no dancing!
don't dance anymore
Don't, sit!
no, don't!
watch out!
hold on
wait a second
Wait a minute, please
No!
no no no
good dog, stay
stop and sit down
dance, stop
hello, stop
stop! there is a baby on the floor
Look, a cat. Stop!
停！别过来！
快停下
请等一下
住手
不要跳了
别再跳舞了
停止跳舞
取消跳舞
有孩子！停！
"""

LATCHES = """
freeze, don't move
Don't you move!
emergency stop
please do not move
别动
不要动！
別動
谁也别动
紧急停止
stop, don't move
stop! there is a baby on the floor, freeze!
"""

BANNED = """
don't dance
please do not sit down
Never jump again
you don't have to dance
no need to stand up
I don't want you to sit
could you not dance, please
don't sit and stand
don't sit, don't stand
don't move forward
don't stop
don't stop dancing
不要坐下
别坐
不用站起来
请不要跳舞
不许往前走
不要停
別往前走
不要坐下和站起来
"""

NOTHING = """
how do you sit
how do you sit?
can he dance
he is sitting
the dog sits
I want to sit
I sat down
why did you sit
if you sit I will give you a treat
did you sit
was she dancing
sitting is bad
do you dance?
shall we dance?
would you like to sit down
sit?
"sit down"
he said sit down
I like to dance
make me dance
dance class
stand-up comedy
beautiful dance
great jump!
what a beautiful dance
turn left right
turn the light on
walk ten feet
walk -2 meters
walk zero meters
walk two meters three meters
go forward two degrees
walk to grandma
go with grandpa
walk over there
jump at my brother
sit or dance
don't sit, stand, and dance
don't sit on the carpet
Please do not sit on the exhibits
come here and sit
stop by tomorrow
the bus stop
Grandpa, sit down
shake hands with the fridge
sit stand
sit 🐶
and
please
can you
don't forget
dance 7 times
dance one hundred times
sit, stand, sit, stand, sit, stand, sit
为什么坐下
怎么坐下
如果你坐下
坐下了
我坐下了
坐下吗
可以坐下
他能跳舞吗
你会跳舞吗
我想坐下
没坐下
他在跳舞
跳舞比赛
坐下来喝茶
走了两步
跟我走两步
停车场
跳舞跳得真好
先生、握手
三歩前進
二回転
左折
前
走一百
坐下是站起来
"""

TALK = """
hello → Hello
Good morning, Claudia! → Hello
hi there, how are you? → Hello
good girl, I love you → Heart
what a good girl → Heart
so cute! → Heart
Who's a good boy? → Heart
well done → Content
I'm tired → StandDown
good night → StandDown
happy new year → Scrape
thank you → -
What's your name? → -
come here → -
你好 → Hello
早上好，克劳迪娅 → Hello
真乖 → Heart
我爱你 → Heart
太棒了！ → Content
晚安 → StandDown
我累了 → StandDown
謝謝 → -
你叫什么名字？ → -
过来 → -
"""


def pairs(table: str) -> list[tuple[str, str]]:
    return [(text, calls) for text, _, calls in (line.partition(" → ") for line in lines(table))]


def lines(table: str) -> list[str]:
    return [line for line in table.splitlines() if line]


def calls(actions: tuple[Action, ...]) -> str:
    """As the tables above write them."""
    return " | ".join(
        " ".join([a.name, *(f"{k}={str(v).lower() if isinstance(v, bool) else f'{v:g}'}" for k, v in a.params.items())])
        for a in actions
    )


def understood(text: str) -> ForeignMatch:
    match = FOREIGN.parse(text)
    assert match is not None, text
    return match


@pytest.mark.parametrize(("text", "expected"), pairs(COMMANDS + MOTIONS + SEQUENCES))
def test_a_command_is_understood_as_it_is_meant(text: str, expected: str) -> None:
    """One or several actions in their order, with a Japanese answer."""
    match = understood(text)
    assert (calls(match.actions), match.kind, match.stop, match.forbidden) == (expected, "action", False, False)
    assert match.reply.endswith("。")


@pytest.mark.parametrize(("text", "latch"), [(t, False) for t in lines(STOPS)] + [(t, True) for t in lines(LATCHES)])
def test_a_stop_is_a_stop_inside_any_plea(text: str, latch: bool) -> None:
    """Alone, with politeness, or as a clause beside anything; the words that latch do so."""
    match = understood(text)
    assert (match.stop, match.latch, calls(match.actions)) == (True, latch, "stop")


@pytest.mark.parametrize("text", lines(BANNED))
def test_a_ban_is_understood_and_moves_nothing(text: str) -> None:
    """What was not to be done is not done, and neither is a stop that was not wanted."""
    match = understood(text)
    assert (match.actions, match.forbidden, match.stop, match.kind) == ((), True, False, "dialog")


def test_a_ban_names_what_is_unwanted() -> None:
    """Whoever sees to a dance in progress can end it."""
    assert understood("don't dance").unwanted == {"Dance1"}
    assert understood("不要坐下和站起来").unwanted == {"Sit", "StandUp"}
    assert understood("don't stop").unwanted == set()


@pytest.mark.parametrize("text", lines(NOTHING))
def test_what_is_no_command_is_not_understood(text: str) -> None:
    """Questions, reports, wishes, idioms, contradictions, places, strangers' words, and too much at once."""
    assert FOREIGN.parse(text) is None


@pytest.mark.parametrize(("text", "expected"), pairs(TALK))
def test_talk_is_answered(text: str, expected: str) -> None:
    """Praise and greetings have their gesture, thanks and questions only words."""
    match = understood(text)
    assert calls(match.actions) == expected.replace("-", "")
    assert match.kind == ("dialog_with_action" if match.actions else "dialog")


@pytest.mark.parametrize(
    "text", ["座って", "sit して", "stop! って言った", "坐下ね", "ＳＩＴ　ｼﾃ", "", " ", "?!", "ー"]
)
def test_text_with_kana_is_japanese(text: str) -> None:
    """It is not looked at, whatever else is in it; nor is nothing."""
    assert FOREIGN.parse(text) is None


def test_full_width_letters_and_curly_apostrophes_are_letters_and_apostrophes() -> None:
    """What keyboards and recognisers write is one thing."""
    assert calls(understood("ＳＩＴ　ＤＯＷＮ！").actions) == "Sit"
    assert understood("don’t dance").forbidden
    assert understood("dont dance").forbidden


def test_of_a_text_longer_than_the_limit_only_a_stop_is_taken() -> None:
    """What was cut off might have been a not."""
    assert FOREIGN.parse("sit down please" + " " * 400 + "not") is None
    assert understood("stop!" + " blah" * 200).stop


@pytest.mark.parametrize(
    "text",
    ["hello, " * 59 + "x", "go and " * 60, "坐下" * 59 + "x", "two " * 119, "with my friend and " * 25, "stop " * 500],
)
def test_a_long_text_ends_in_an_answer(text: str) -> None:
    """Nothing grows without bound, and nothing moves."""
    match = FOREIGN.parse(text)
    assert match is None or match.stop


def test_every_stop_word_of_the_stop_table_is_known_here_with_its_latch() -> None:
    """The two tables do not disagree."""
    words = [(text, latch == "latch") for _, (kind, text, latch) in rows(DATA / "stops.tsv", 3) if kind == "foreign"]
    assert words
    for text, latch in words:
        match = understood(text)
        assert (match.stop, match.latch) == (True, latch), text


DOING = [e.text for entries in FOREIGN.table.values() for role, e in entries.items() if role in ("do", "go", "noun")]
SPOKEN = [e.text for entries in FOREIGN.table.values() for e in entries.values()]
BANS = [e.text for entries in FOREIGN.table.values() for role, e in entries.items() if role == "not"]
TEXTS = st.lists(st.sampled_from(SPOKEN) | st.sampled_from([",", "?", "!", "2", "1.5", "x", "他"]), max_size=8).map(
    " ".join
)


def is_chinese(text: str) -> bool:
    return not text.isascii()


@pytest.mark.parametrize(
    "ban",
    ["don't {}", "please don't {}", "you must not {} now", "Claudia, never {}!", "不要{}", "请别{}", "你不用{}吧"],
)
def test_no_banned_command_of_the_table_does_anything(ban: str) -> None:
    """Every command there is, in every way to forbid it."""
    for text in DOING:
        if is_chinese(text) == is_chinese(ban):
            match = understood(ban.format(text))
            assert match.forbidden or match.stop, ban.format(text)
            assert match.stop or match.actions == ()


@pytest.mark.parametrize(
    "frame",
    ["he {}", "if you {}", "did you {}", "why {}", "I {}", "{} is bad", "to {} it", "他{}", "如果{}", "我想{}", "{}的"],
)
def test_no_command_of_the_table_is_looked_for_inside_a_sentence(frame: str) -> None:
    """A word without a role makes nothing of everything."""
    for text in DOING:
        match = FOREIGN.parse(frame.format(text)) if is_chinese(text) == is_chinese(frame) else None
        assert match is None, (frame.format(text), match)


@given(TEXTS | st.text(max_size=60))
@settings(max_examples=1500, deadline=None)
def test_no_text_raises_or_invents_an_action(text: str) -> None:
    """Only registered ids, finite parameters, at most six, a rule, and a kind that fits."""
    match = FOREIGN.parse(text)
    if match is None:
        return
    assert all(ACTIONS[a.name] == a.api_id for a in match.actions)
    assert all(math.isfinite(v) for a in match.actions for v in a.params.values())
    assert len(match.actions) <= MAX_ACTIONS
    assert match.rule
    assert match.stop or match.reply
    assert not (match.forbidden and match.actions)
    assert match.latch <= match.stop
    assert match.stop == any(a.name == "stop" for a in match.actions)
    assert (match.kind in ("action", "dialog_with_action")) == bool(match.actions)


@given(
    st.sampled_from(BANS),
    st.lists(st.sampled_from(DOING), min_size=1, max_size=3),
    st.sampled_from([" and ", " then ", "和"]),
)
@settings(max_examples=500, deadline=None)
def test_a_ban_reaches_all_that_is_joined_to_it(ban: str, texts: list[str], joint: str) -> None:
    """Do not sit and dance: neither of them."""
    match = FOREIGN.parse(f"{ban} {joint.join(texts)}")
    assert match is None or match.stop or not match.actions


@given(st.sampled_from([text for text, _ in pairs(COMMANDS + MOTIONS + SEQUENCES + TALK)]), st.data())
@settings(max_examples=500, deadline=None)
def test_one_unknown_word_anywhere_and_nothing_moves(text: str, data: st.DataObject) -> None:
    """Wherever it stands, nothing around it is done."""
    words = text.split(" ") if " " in text else list(text)
    at = data.draw(st.integers(0, len(words)))
    unknown = data.draw(st.sampled_from(["fridge", "冰"]))
    match = FOREIGN.parse((" " if " " in text else "").join([*words[:at], f" {unknown} ", *words[at:]]))
    assert match is None or match.stop


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("# c\ndance\tx\n", ":2: unknown role 'dance'"),
        ("do\tsit\tSit\n", ":1: do has 4 columns"),
        ("do\tsit\tFly\tはい。\n", ":1: unknown action 'Fly'"),
        ("do\tsit\tSit\t\n", ":1: an action or a reply is missing"),
        ("noun\tsit\t-\tはい。\n", ":1: an action or a reply is missing"),
        ("name\tx\ty\n", ":1: name has 2 columns"),
        ("name\tdog\n\nname\tDOG\n", ":3: 'DOG' is already there as name"),
        ("name\t(a|b\n", ":1: '(a|b' has brackets that do not match"),
        ("name\t(a|)\n", ":1: '(a|)' has a spelling with punctuation or without words"),
        ("name\tdog!\n", ":1: 'dog!' has a spelling with punctuation or without words"),
        ("name\t" + "(a|b|c|d)" * 6 + "\n", ":1: "),
        ("stop\tstop\tyes\n", ":1: 'yes' is not one of -, latch, alone"),
        ("way\tup\tup\n", ":1: 'up' is not one of"),
        ("number\tmany\t1e9\n", ":1: '1e9' is not a number"),
        ("same\tab\tc\n", ":1: two columns"),
        ("name\n", ":1: 1 columns"),
    ],
)
def test_a_faulty_table_names_the_line(text: str, fault: str, tmp_path: Path) -> None:
    """The message begins with the file and the line of the fault."""
    path = write(tmp_path, text)
    with pytest.raises(DataError) as error:
        load_foreign(path, ACTIONS)
    assert str(error.value).startswith(f"{path}{fault}")


def test_without_move_and_stop_in_the_registry_there_is_neither(tmp_path: Path) -> None:
    """A motion is then not understood, and a stop has no id to be sent as."""
    path = write(tmp_path, "verb\twalk\twalk\nstop\tstop\t-\n")
    bare = load_foreign(path, {})
    assert bare.parse("walk") is None
    match = bare.parse("stop")
    assert match is not None
    assert match.stop
    assert match.actions == ()


def test_replies_are_japanese_sentences() -> None:
    """Every one has kana and a full stop, and no Latin letters or markup."""
    for entries in FOREIGN.table.values():
        for entry in entries.values():
            if entry.reply:
                assert entry.reply.endswith("。"), entry
                assert any("ぁ" <= c <= "ん" for c in entry.reply), entry
                assert not any(c.isascii() for c in entry.reply), entry


def test_a_foreign_grammar_can_be_shared() -> None:
    """Parsing leaves no trace: the same text gives the same answer."""
    assert isinstance(FOREIGN, Foreign)
    assert FOREIGN.parse("wave twice") == FOREIGN.parse("wave twice")
