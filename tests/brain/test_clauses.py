"""A command among other talk: what may stand beside it, and what makes nothing of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.brain.clauses import harmless, understand
from claudiad.brain.reading import Token, hear
from claudiad.brain.router import Router, Tables
from claudiad.brain.sequence import Grammar
from claudiad.types import Decision
from tests.brain.conftest import ACTIONS, STANDING, calls, fault, lines, pronounced

Decide = Callable[[str], Decision]


@pytest.fixture(scope="module")
def grammar(tables: Tables) -> Grammar:
    return Grammar(tables.phrases, tables.motions, tables.edges, ACTIONS["move"])


def moved(decide: Decide, text: str) -> str:
    """What comes of a text, written or as pronounced."""
    return calls(decide(text)) or calls(decide(pronounced(text)))


def clause(text: str) -> tuple[Token, ...]:
    """The words of the last clause of a text, tokenised where they stand."""
    heard = hear(text)
    return tuple(t for t in heard.tokens if t.start >= max(heard.bounds, default=0))


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("お客さんが来たから、座って", "Sit"),
        ("写真を撮るから座って", "Sit"),
        ("雨が降ってきたので、伏せて", "StandDown"),
        ("うるさいんで、伏せて", "StandDown"),
        ("ちょっと通りたいんだけど、下がって", "move x=-0.3"),
        ("疲れたでしょう、座って", "Sit"),
        ("お客さんだよ。座って", "Sit"),
        ("ひなが帰ってくる前に、座って", "Sit"),
        ("心配しなくていいよ、座って", "Sit"),
        ("座って、写真を撮るから", "Sit"),
        ("座って、お客さんが来たから", "Sit"),
        ("座ってね、お客さんが来た", "Sit"),
        ("お座り、お客さんが来た", "Sit"),
        ("手を振って、お客様に", "Hello"),
        ("暑いなあ、伏せて、もう遅いし", "StandDown"),
    ],
)
def test_a_reason_beside_a_command_changes_nothing(text: str, action: str, decide: Decide) -> None:
    """Before it or behind it, with punctuation or with a particle that the tokeniser proves."""
    decision = decide(text)
    assert calls(decision) == action
    assert 0.85 <= decision.confidence <= 0.98


@pytest.mark.parametrize(
    "text",
    [
        "クラウディア、座って",
        "座ってよ、クラちゃん",
        "ロボットくん、お客さんだよ、座って",
        "お客さんだよ、クラウディア、座って",
        "座って、クラウディア、お客さんだよ",
        "ポチ、座って。ポチ",
    ],
)
def test_the_robot_is_called_by_its_names(text: str, decide: Decide) -> None:
    """Wherever the name stands."""
    assert calls(decide(text)) == "Sit"


@pytest.mark.parametrize(
    "text",
    [
        "健太、座って",
        "太郎くん、座ってね",
        "田中さん、座って",
        "お母さん、座って",
        "先生、お座りください",
        "お客様、お座りください",
        "皆さん、ご着席ください",
        "みんな、座って",
        "そこの人、座って",
        "座って、健太",
        "お座りください、お客様",
        "クラウディアじゃなくて健太、座って",
        "お客さんが来たよ、健太、座って",
        "健太、いい子だね",
        "いい子だね、先生",
        "健太に座ってもらって",
    ],
)
def test_who_calls_somebody_else_does_not_mean_the_robot(text: str, decide: Decide) -> None:
    """A call of a person in front or behind: nothing moves, and praise of a person is not the robot's."""
    assert moved(decide, text) == ""


@pytest.mark.parametrize(
    "text",
    ["妻に休んでほしい", "息子に起きてもらって", "健太に座ってほしい", fault("つま is not 妻", "ツマニヤスンデホシイ")],
)
def test_a_wish_about_somebody_else_is_not_for_the_robot(text: str, decide: Decide) -> None:
    """Who wants a person to rest does not want the robot to."""
    assert decide(text).actions == ()


@pytest.mark.parametrize(
    "text",
    [
        "「座って」と言った",
        "「座って！」って言われた",
        "座ってって言った",
        "座って、と彼は言った",
        "座れと叫んだ",
        "座ってと先生が言った",
        "座れだって",
        "母が「座って」と言ったので、立って",
        "お座りって何",
        "座ってって英語で何て言うの",
        "座ってと書いた。伏せて",
        fault("what is left of a quotation counts as a statement", "座って、だって"),
        fault("what is left of a quotation counts as a statement", "座って、みたいな"),
    ],
)
def test_what_is_only_quoted_moves_nothing(text: str, decide: Decide) -> None:
    """What somebody said, wrote or thought is not asked for now, nor is anything beside it."""
    assert moved(decide, text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "雨が降ったら、座って",
        "雨が降れば、座って",
        "雨なら、座って",
        "ボタンを押すと、座って",
        "もし雨が降るなら座って",
        "もし座ったら、踊って",
        "私が呼んだ時は座って",
        "ベルが鳴ってから座って",
        "座って、気が向いたら",
        "座って、できれば明日",
        "食べながら、座って",
        "ご飯を食べてから、座って",
        fault("場合に is taken for a place", "必要な場合に座って"),
        fault("合図で is taken for a place", "次の合図で座って"),
    ],
)
def test_a_condition_is_not_now(text: str, decide: Decide) -> None:
    """What is to be done when something happens is not done."""
    assert moved(decide, text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "座って、いつ？",
        "座って、何をするの",
        "座って、どうする？",
        "座って。どう？",
        "座って、なぜ",
        "座って、分かった？",
        "座って、どこ？",
    ],
)
def test_a_question_behind_a_command_asks_about_it(text: str, decide: Decide) -> None:
    """It is not clear what is wanted: nothing moves."""
    assert moved(decide, text) == ""


@pytest.mark.parametrize("text", ["どこ", "どこ？", "ここどこ", "ねえ、どこや"])
def test_a_question_alone_moves_nothing(text: str, decide: Decide) -> None:
    """Where? is not out of the way."""
    assert decide(text).actions == ()


@pytest.mark.parametrize("text", ["えっと、大きい", "お、きれい", "もう右"])
@pytest.mark.xfail(reason="フィラー|起きい, フィラー|起きれえ, and もう for もっと", strict=True)
def test_an_exclamation_is_no_command(text: str, decide: Decide) -> None:
    """What somebody sees is not what the robot is to do."""
    assert decide(text).actions == ()


@pytest.mark.parametrize(
    "text",
    [
        "座って、皿を洗って",
        "皿を洗って、座って",
        "料理を作って。座って",
        "座って。窓を開けて",
        "窓を開けろ。座って",
        "座って、水を飲みなさい",
        "座って、水ください",
        "座って、次に皿洗い",
        "座って、最後にくねくね",
        "次は散歩だ、座って",
        "座って、窓を開けてほしい",
        "立って、皿を洗って、座って",
        fault("洗え is read as 洗える", "座って。皿を洗え"),
        fault("飲め is read as 飲める", "水を飲め、座って"),
    ],
)
def test_an_unknown_instruction_beside_a_known_one_stops_both(text: str, decide: Decide) -> None:
    """A request is done whole or not at all, in whatever form the other part is asked for."""
    assert moved(decide, text) == ""


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("伏せ、違う違う、お座り", "Sit"),
        ("伏せて、やっぱり座って", "Sit"),
        ("伏せじゃなくて、お座り", "Sit"),
        ("座って、間違えた、伏せて", "StandDown"),
        ("立って、やっぱなし、座って、踊って", "Sit | Dance1"),
        ("お客さんだよ、伏せ、違う、座って", "Sit"),
        ("座って、やっぱりやめた", ""),
        ("座って、取り消し", ""),
        ("お客さんだよ、座って、違う", ""),
    ],
)
def test_a_correction_takes_back_what_stood_before_it(text: str, actions: str, decide: Decide) -> None:
    """Only the last thing asked for goes; with nothing in its place nothing is done."""
    assert calls(decide(text)) == actions


@pytest.mark.parametrize(
    "behind",
    [
        "いい？",
        "ある",
        "おく",
        "行く",
        "食べた",
        "来ました",
        "お客さんが来た",
        "待ちました",
        "本を読んでいる",
        fault("た is た in 食べた, and だ in 飲んだ", "水を飲んだ"),
        fault("〜ている is known, 〜てる is not", "テレビを見てる"),
    ],
)
def test_a_comma_does_not_end_a_te_form_and_a_full_stop_does(behind: str, decide: Decide) -> None:
    """座って、いい？ asks, 座って、食べた tells; behind 座って。 a new sentence begins."""
    assert moved(decide, f"座って、{behind}") == ""
    assert calls(decide(f"座って。{behind}")) == "Sit"
    assert calls(decide(f"座って！{behind}")) == "Sit"


@pytest.mark.parametrize("mark", ["。", "！", "!", "♪", "｡", fault("NFKC makes three dots of it", "…")])
def test_marks_that_end_a_sentence(mark: str, decide: Decide) -> None:
    """Full-width and half-width ones are one."""
    assert calls(decide(f"座って{mark}お客さんが来た")) == "Sit"


@pytest.mark.parametrize(
    "behind", ["お客さんだよ", "ご飯を食べよう", "写真を撮るから", "お客さんが来たので", "早くしないと"]
)
def test_what_cannot_go_on_with_a_te_form_may_follow_a_comma(behind: str, decide: Decide) -> None:
    """A reason, a proposal or a statement of what is there."""
    assert calls(decide(f"座って、{behind}")) == "Sit"


@pytest.mark.parametrize(
    "text", ["座って。友達と踊る", "座って、ソファで寝るよ", "伏せて。役に立つ", "座って。みんなで踊るの"]
)
def test_what_somebody_does_somewhere_is_no_step(text: str, decide: Decide) -> None:
    """座って。友達と踊る orders one thing and tells another."""
    assert len(decide(text).actions) <= 1


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("いい子だね、クラウディアは", "Heart"),
        ("もうすぐ来るよ、かわいいね", "Heart"),
        ("かわいいね、うちの犬", "Heart"),
        ("今日は暑い、疲れた", "StandDown"),
        ("雪なんて、久しぶり", ""),
        ("本当に健太はかわいいね", ""),
        fault("宿題に is taken for a place", "宿題に、疲れた", ""),
    ],
)
def test_praise_in_its_surroundings(text: str, action: str, decide: Decide) -> None:
    """It is the robot's when nothing else is named before it."""
    assert calls(decide(text)) == action


def test_a_command_beside_praise_is_done_and_the_praise_is_not(decide: Decide) -> None:
    """いい子だね、座って asks for one thing."""
    assert calls(decide("いい子だね、座って")) == "Sit"
    assert calls(decide("座って。いい子だね")) == "Sit"


def test_more_than_eight_clauses_are_not_understood(decide: Decide, tables: Tables, grammar: Grammar) -> None:
    """What is said in so many pieces is no command any more."""
    assert calls(decide("寒い、" * 7 + "座って")) == "Sit"
    assert understand(hear("寒い、" * 8 + "座って"), grammar, tables.edges, tables.words) is None
    assert decide("寒い、" * 8 + "座って").actions == ()


def test_what_is_forbidden_beside_a_statement_is_known(tables: Tables, grammar: Grammar) -> None:
    """The parts come out apart: what is wanted, what is not, and talk."""
    found = understand(hear("お客さんだよ、踊らないで、座って"), grammar, tables.edges, tables.words)
    assert found is not None
    assert [a.name for a in found.order.actions] == ["Sit"]
    assert [a.name for s in found.order.forbidden for a in s.actions] == ["Dance1"]
    assert found.talk is None
    praised = understand(hear("お客さんだよ、かわいいね"), grammar, tables.edges, tables.words)
    assert praised is not None
    assert praised.order.steps == ()
    assert praised.talk is not None
    assert praised.talk.text == "可愛い"


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("お客さんが来たよ、", "first", True),
        ("座って、お客さんが来た", "after_te", False),
        ("座って。お客さんが来た", "after_te strong", True),
        ("座ってね、お客さんが来た", "", True),
        ("座って、いい", "after_te", False),
        ("どうしたの、", "", False),
        ("何が来るの、", "first", True),
        ("窓を開けて、", "first", False),
        ("もし雨だよ、", "first", False),
        ("次は雨だよ、", "first", False),
        ("座って、椅子", "", False),
        ("座って。椅子", "strong", True),
        ("健太、", "first strong", False),
        ("座って、健太に", "after_te", True),
        ("雨が降れば、", "first strong", False),
        ("", "first strong", False),
    ],
)
def test_a_clause_is_harmless_by_its_place(text: str, place: str, expected: bool, tables: Tables) -> None:
    """The same words may or may not change a command, by what stood before them."""
    first, after_te, strong = (flag in place.split() for flag in ("first", "after_te", "strong"))
    assert harmless(clause(text), tables.words, first=first, after_te=after_te, strong=strong) is expected


TALK = [*lines("traps.txt"), *lines("everyday.txt")]
READ_ALOUD = [
    "東の空が少しずつ明るくなってきた",
    "彼は古い地図を広げて黙り込んだ",
    "蝉の声が坂の上まで響いている",
    "ティーカップの縁に口紅の跡がある",
    "ヴァイオリンの弦が一本切れてしまった",
    "祖父は新聞を隅から隅まで読む",
    "その船は嵐のなかを北へ向かった",
    "プロペラがゆっくりと回り始めた",
    "列車は鉄橋を渡りトンネルへ入った",
    "妹が作ったケーキは甘すぎた",
    "窓辺の花瓶に水を足しておいた",
    "フェリーは午後六時に港を出る",
    "山小屋の主人が薪を割っている",
    "百貨店の屋上で風船が売られていた",
    "教授の講義はいつも三分早く終わる",
    "あの坂を登ると海が見える",
    "選手たちは肩を落として引き揚げた",
    "ツェッペリンという名の飛行船があった",
    "踊り子の衣装は真っ赤だった",
    "弟は跳び箱が跳べるようになった",
    "休まず歩いたので足が棒のようだ",
    "彼らは手を取り合って喜んだ",
    "バレリーナが爪先で立っている",
    "前の車が急に止まった",
    "後ろから誰かが呼ぶ声がした",
    "ジャンプ台から飛び出す瞬間が怖い",
    "回覧板がまだ回ってこない",
    "うちの子は伏し目がちだ",
    "立ち退きの話が進んでいる",
    "座り心地のいい椅子を探している",
    "彼の挨拶は長くて退屈だった",
    "握手を求められて緊張した",
    "ストレッチのあとは体が軽い",
    "ハートの女王が首をはねろと叫んだ",
    "寝過ごして終点まで行った",
    "ポーズが決まらず何度も撮り直した",
    "早足で駅へ急いだ",
    "そっと扉を閉めた",
    "一歩も引かない覚悟だ",
    "五メートルほど先に橋がある",
    "十秒で走り切った",
    "まだ眠い",
    "もう帰りたい",
    "暑い",
    "テレビがうるさい",
    "孫が来るんだ",
    "電話が鳴ってる",
    "床が濡れてるよ",
    "ご飯ができたよ",
    "お客さんが見てるよ",
    "みんなで遊ぼう",
    "いい天気だなあ",
    "足が疲れた",
    "背中がかゆい",
    "尻尾が揺れてる",
    "番組が始まる",
    "先生が褒めてた",
    "父に叱られた",
    "赤ちゃんが泣いている",
    "猫が伏せている",
    "馬が走っている",
    "彼が踊っていた",
    "誰かが手を振っている",
    "明日は早い",
    "来週から忙しい",
    "意味が分からない",
    "雪が積もりそうだ",
    "肉が食べたい",
    "あれは何だろう",
    "これは誰のだろう",
    "どうしてだろう",
    "なるほど",
    "すてきな歌だ",
    "速い車だ",
    "静かな夜だ",
]
SHAPES = [
    "{}、座って",
    "{}。座って",
    "{}から座って",
    "{}ので、座って",
    "{}けど、座って",
    "{}？座って",
    "座って、{}",
    "座って。{}",
    "座って！{}",
    "座って{}",
    "座って、{}から",
    "座って。{}んだよ",
    "座ってね、{}",
    "お座り、{}",
    "ねえ、{}、座ってよ",
]
EXCEPTIONS = frozenset(("大きい",))
"""See `test_an_exclamation_is_no_command`."""


def test_there_is_one_exception_and_it_is_still_needed(decide: Decide) -> None:
    """One of three hundred clauses."""
    assert len(TALK + READ_ALOUD) >= 295
    assert len(EXCEPTIONS) == 1
    assert decide("えっと、大きい").actions


@given(
    st.sampled_from([t for t in TALK + READ_ALOUD if t not in EXCEPTIONS]),
    st.sampled_from(SHAPES),
    st.sampled_from(["", "", "えっと、", "クラウディア、", "寒いね。", "早く帰りたいし、"]),
    st.booleans(),
)
@settings(max_examples=2500, deadline=None)
def test_whatever_stands_beside_a_command_adds_no_other(
    router: Router, said: str, shape: str, front: str, aloud: bool
) -> None:
    """座って, a stop, or nothing: no clause makes the robot do a third thing, written or as it sounds."""
    text = front + shape.format(said)
    actions = router.decide(pronounced(text) if aloud else text, STANDING).actions
    assert {a.name for a in actions} <= {"Sit", "stop"}
    assert len(actions) <= 1
