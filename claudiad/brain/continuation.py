"""Speech that goes on behind a command already begun: what becomes of it.

A complete command acts after a short silence. What is said within the next second belongs to the same turn: 立って …
挨拶して goes on, 座って … はいけない takes back. It is decided on the words joined (`whole_of`), on those that came
later (`rest`), and on what has begun. A wrong motion is the worst fault, a needless end the lesser one: where two
readings disagree, nothing new is done.

The rules of `continued`, the first that fits:

 1. `rest` was dropped. Nothing was said (silence, too quiet, its own voice), or too short a sound, a cough:
    *unrelated*. Unknown words of 300 ms and more may have been a ban: *cancel*.
 2. A stop, a ban of what began (座って … はいけない), or a no: *cancel*. Stops should never come here, they act
    before.
 3. Nothing said (えーと, うん): *unrelated*. Only a joint (そして, そのあと): *same*, and more is to come.
 4. Nothing that moves had begun (ありがとう, a name): *follow* what the whole does, or `rest` where the whole is not
    understood; else *same* or *talk*.
 5. The whole does what has begun and nothing else (座って … ください): *same*. So are 座って … 座って and 回って …
    回って: who says it twice was not sure to be heard, and もう一回 is there for more.
 6. The whole is known as talk (ダンス … は好き？): *cancel*.
 7. `rest` is もう一回, and the context knows of what: *follow*.
 8. `rest` is known as talk (ありがとう, 可愛い): *talk*; a request (自己紹介して): *follow*. But a feeling or a state
    makes a story of it (踊って … 疲れた), and 怖い, うるさい, ごめん are against it: *cancel*.
 9. `rest` is a command that the whole does not have: the readings disagree, *cancel*.
10. The whole goes on from what began (立って … 挨拶して): *follow*. It does less: *cancel*. It does something else
    (前に進んで … じゃなくて座って, 前へ … 一メートル進んで): *replace*.
11. Everything else, questions of the router's own among it (座って … いる人は誰): *cancel*.

Pure: decisions in, a decision out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from claudiad.brain.kana import fold, hiragana
from claudiad.brain.reading import hear, reading
from claudiad.brain.tables import expand
from claudiad.brain.wording import ENDED
from claudiad.types import Action, Decision

Kind = Literal["follow", "same", "talk", "replace", "cancel", "unrelated"]
Decide = Callable[[str], Decision]

WORDS_MS: Final = 300
"""Voiced time from which a sound that was not understood may have been words."""
SURE: Final = 0.95
"""From which confidence words by themselves are known: no talk around them, no near miss."""
AGAIN: Final = "すみません、もう一度お願いします。"

_NOTHING_HEARD = frozenset(("silence", "too quiet", "own voice", "backchannel"))
_EXACT = frozenset(("hotpath", "grammar", "motion", "cache"))
_GESTURES = frozenset(("Hello", "Heart", "Content", "Scrape"))
"""What goes with greetings and praise, and may be left out of an answer; what goes with 疲れた is an offer."""
_NO = frozenset(
    fold(word)
    for words in (
        "{いや,いやいや,いやだ,やだ,いやや,いいえ,いーえ,いえ,いえいえ,ううん,うーん,うーうん,いいや,のー,ちゃう,ちゃうちゃう}",
        "{ちがう,ちがうよ,ちがうちがう,ちがいます,だめ,だめだめ,だめだよ,だめです,なし,なしで,うそ,うそうそ,むり,やめ,やめた}",
        "{いらない,いらないよ,けっこー,けっこーです,もーいい,もーいいよ,やっぱりいい,やっぱりいーや,まちがえた,まちがい}",
        "{わ,は,ちゃ,じゃ}{いけない,いけないよ,いけません,いけないんだよ,だめ,だめだよ,だめです,だめですよ,ならない,あかん}",
        "{じゃない,じゃないよ,じゃないです,ないで,ないでね,ないでください,なくていい,なくていいよ,ほしくない,ほしくないな}",
    )
    for word in expand(words)
)
"""A no, or the end of a ban, as a recogniser may write it: うーん among them, which may have been ううん."""
_JOINTS = frozenset(
    reading(word)
    for words in (
        "{そして,それから,そのあと,そのあとで,そのあとは,その後,その次,その次に,次に,次は,つぎ,あと,あとは,あとね,それと}",
        "{で,それで,そんで,んで,じゃあ,じゃ,では,そしたら,そうしたら,したら,終わったら,それが終わったら,ついでに,また}",
    )
    for word in expand(words)
)
"""By themselves they only promise more."""
_AGAINST = frozenset(
    (
        *expand("{違う,そうじゃない,ごめん,ごめんなさい,ごめんね,申し訳ない,すまない,すまんのう,大丈夫,ばか}"),
        *expand("{静かにして,黙って,うるさい,怖い,気にしないで,右,右へ,左,左へ,前,後ろ}"),
    )
)
"""Phrases of the table (`Decision.rule`) that take back, complain, or say how it was meant."""
_STORY = frozenset(
    (
        *expand("{嬉しい,嬉しかった,楽しい,楽しかった,幸せ,しあわせ,寂しい,さみしい,悲しい,泣きたい,つらい,不安,好き}"),
        *expand("{すき,落ち込んでる,落ち込んだ,元気がない,暑い,寒い,緊張する,イライラする,腹が立つ,つまらない,退屈}"),
        *expand("{暇,お腹すいた,喉が渇いた,頭が痛い,お腹が痛い,風邪ひいた,寝たい,助かった,癒される,感動した}"),
    )
)
"""Feelings and states: behind a command they make a story of it (踊って、楽しい; ダンス、好き)."""
_NEARLY = (
    ("ジャナクテ", re.compile(r"[ジチ]ャ?[ナガカダ]ク[テデ]")),
    ("チガウ", re.compile(r"(?:チ[ガラダカ]ウ)+")),
    ("ヤッパリ", re.compile(r"ヤッ[パカタア]リ")),
    ("マチガエタ", re.compile(r"マチ[ガナダ][エイ]タ")),
)
"""Corrections, and how the embedded recogniser hears them when they begin an utterance."""
_EDGE = " \t\n\u3000、。，．・！？!?,.…‥♪☆★「」『』“”\"'（）()"
"""Punctuation, which says nothing where a text was only cut."""
_INDEPENDENT = frozenset(("名詞", "代名詞", "副詞", "連体詞", "接頭辞"))
_TELLS = frozenset(("よ", "ぞ", "ぜ", "から", "ので"))
"""Ends of a remark that gives a reason: お客さんだよ."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """What to do about a command that has begun."""

    kind: Kind
    """follow: `actions` after what began; same: nothing; talk: only answer; replace: stop what began, then `actions`;
    cancel: stop what began; unrelated: leave it alone."""
    actions: tuple[Action, ...]
    """Empty but for `follow` and `replace`; always among those of the two decisions."""
    reply: str
    """Japanese for the voice; empty = say nothing more."""
    reason: str
    """For people who ask."""


def joined(first: str, rest: str) -> tuple[str, ...]:
    """The texts of the whole, in the order in which to try them: 座ってはいけない, then 座って、はいけない.

    What recognisers put at the seam is left out. One empty text leaves the other alone, two leave nothing.
    """
    head, tail = first.rstrip(_EDGE), rest.lstrip(_EDGE)
    if not head or not tail:
        return tuple(text for text in (head or first, tail or rest) if text)[:1]
    return head + tail, f"{head}、{tail}"


def behind(first: str, at_once: str) -> str:
    """The later words in what a recogniser made of the whole sound, where that begins like `first`; else empty.

    For later words that were dropped when heard alone: short pieces often are, the whole seldom is.
    """
    head = first.rstrip(_EDGE)
    return at_once[len(head) :].lstrip(_EDGE) if head and at_once.startswith(head) else ""


def whole_of(begun: Decision, rest: Decision, decide: Decide, at_once: str = "") -> Decision:
    """The decision on all that was said; `decide` is asked about four texts at most.

    Without a break between them both texts are one sentence, and what that says counts: 座っておいで is one order. With
    a break they are two; that counts where the one sentence says nothing (お座り、お手; 立って、お客さんだよ) and the
    later words can stand by themselves (踊って … みたい cannot), or where it only swallowed a command (お座り …
    座った姿勢から立って). Where neither says anything, `at_once` does: what a recogniser made of the whole sound.
    """
    texts = joined(begun.text, rest.text)
    if len(texts) < 2:
        return decide(at_once or (texts[0] if texts else ""))
    correction, command = _meant(rest.text)
    if correction and _is_command(decide(command)):
        return decide(joined(begun.text, correction + command)[0])
    whole = _of_texts(begun, rest, texts, decide)
    if _understood(whole) or not at_once:
        return whole
    again = decide(at_once)
    return again if _understood(again) else whole


def continued(
    begun: Decision,
    whole: Decision,
    rest: Decision,
    *,
    rest_dropped: str | None,
    rest_voiced_ms: int,
    says_nothing: bool = False,
) -> Continuation:
    """What becomes of `begun`, which is being done, now that more was said.

    Args: `whole` is the decision of `whole_of`, `rest` the one on the later words alone, made after `begun` was
    committed (so that もう一回 knows of what). `rest_dropped`: why the later words are not to be believed
    (`Transcript.dropped`, "out of vocabulary"), or None. `rest_voiced_ms`: how much voice there was in them.
    `says_nothing`: they were only a backchannel or fillers.
    """
    if rest_dropped is not None:
        return _dropped(rest_dropped, rest_voiced_ms if begun.actions else 0)
    if (against := _against(whole, rest)) is not None:
        return against
    if (nothing := _nothing(rest, says_nothing)) is not None:
        return nothing
    if not begun.actions:
        return _behind_talk(begun, whole, rest)
    if whole.actions == begun.actions and (whole.route != "semantic" or begun.route == "semantic"):
        return Continuation("same", (), "", f"the same: {whole.rule}")
    return _by_itself(whole, rest) or _by_whole(begun, whole, rest)


def _dropped(reason: str, voiced_ms: int) -> Continuation:
    if reason in _NOTHING_HEARD or voiced_ms < WORDS_MS:
        return Continuation("unrelated", (), "", f"dropped: {reason}")
    return _cancel(AGAIN, f"unknown words: {reason}")


def _against(whole: Decision, rest: Decision) -> Continuation | None:
    """Rule 2."""
    for each in (whole, rest):
        if each.route == "emergency" and each.actions:
            return _cancel(each.reply, f"a stop: {each.rule}")
    for each in (whole, rest):
        if _forbids(each):
            return _cancel(each.reply, each.rule)
    return _cancel(ENDED, "no") if hear(rest.text).key in _NO else None


def _nothing(rest: Decision, says_nothing: bool) -> Continuation | None:
    """Rule 3."""
    if hear(rest.text).key in _JOINTS:
        return Continuation("same", (), "", "more is to come")
    return Continuation("unrelated", (), "", "nothing said") if says_nothing else None


def _behind_talk(begun: Decision, whole: Decision, rest: Decision) -> Continuation:
    """Rule 4: ありがとう … ございます, クラウディア … 座って. Nothing moves that could be wrong."""
    if whole.actions:
        return Continuation("follow", whole.actions, whole.reply, whole.rule)
    if _is_command(rest) and whole.route in ("fallback", "none", "semantic"):
        return Continuation("follow", rest.actions, rest.reply, rest.rule)
    answer = rest if _is_talk(rest) and not _understood(whole) else whole
    if answer.reply == begun.reply:
        return Continuation("same", (), "", f"the same: {answer.rule}")
    return Continuation("talk", (), answer.reply, answer.rule)


def _by_itself(whole: Decision, rest: Decision) -> Continuation | None:
    """Rules 6 to 8: known as talk."""
    if whole.route == "hotpath" and whole.kind != "action" and whole.rule != rest.rule:
        return _cancel(whole.reply, f"the whole is talk: {whole.rule}")
    if rest.rule == "again" and rest.actions:
        return Continuation("follow", rest.actions, rest.reply, "once more")
    return _answer(whole, rest) if _is_talk(rest) else None


def _answer(whole: Decision, rest: Decision) -> Continuation:
    """Rule 8."""
    if rest.rule in _AGAINST or rest.rule in _STORY:
        return _cancel(rest.reply if rest.kind == "dialog" else whole.reply, f"against it, or a story: {rest.rule}")
    if rest.kind == "dialog_with_action" and rest.rule.endswith(("て", "で")):
        return Continuation("follow", rest.actions, rest.reply, f"behind it: {rest.rule}")
    if any(action.name not in _GESTURES for action in rest.actions):
        return _cancel(whole.reply, f"a story: {rest.rule}")
    return Continuation("talk", (), rest.reply, f"talk: {rest.rule}")


def _by_whole(begun: Decision, whole: Decision, rest: Decision) -> Continuation:
    """Rules 9 to 11."""
    if _is_command(rest) and not _within(rest.actions, whole.actions):
        return _cancel(AGAIN, f"two readings: {rest.rule}")
    if not whole.actions or whole.kind != "action" or whole.route not in (*_EXACT, "semantic"):
        return _cancel(whole.reply, f"no command: {whole.rule}")
    done = len(begun.actions)
    if whole.actions[:done] == begun.actions and (more := whole.actions[done:]):
        return Continuation("follow", more, rest.reply if rest.actions == more else whole.reply, whole.rule)
    if whole.route == "semantic" or all(action in begun.actions for action in whole.actions):
        return _cancel(whole.reply, f"a guess, or taken back in part: {whole.rule}")
    return Continuation("replace", whole.actions, whole.reply, whole.rule)


def _cancel(reply: str, reason: str) -> Continuation:
    return Continuation("cancel", (), reply, reason)


def _of_texts(begun: Decision, rest: Decision, texts: tuple[str, ...], decide: Decide) -> Decision:
    unbroken = decide(texts[0])
    settled = unbroken.actions == begun.actions or _forbids(unbroken) or unbroken.route == "emergency"
    if settled or (_understood(unbroken) and not _is_command(rest)):
        return unbroken
    broken = decide(texts[1])
    if _understood(unbroken):
        two = broken.actions == begun.actions + rest.actions
        return broken if two and not _specifies(unbroken, begun) else unbroken
    stands = not broken.actions or _is_command(rest) or _is_remark(rest.text)
    return broken if _understood(broken) and stands else unbroken


def _understood(decision: Decision) -> bool:
    return decision.route not in ("fallback", "none")


def _forbids(decision: Decision) -> bool:
    return not decision.actions and decision.rule.startswith("forbidden")


def _is_command(decision: Decision) -> bool:
    """An exact command by itself."""
    exact = decision.route in _EXACT and decision.kind == "action" and decision.confidence >= SURE
    return exact and bool(decision.actions) and decision.rule != "again"


def _is_talk(decision: Decision) -> bool:
    """A greeting, praise, a question, a request it has an answer to; by itself."""
    return decision.route == "hotpath" and decision.kind != "action" and decision.confidence >= SURE


def _specifies(whole: Decision, begun: Decision) -> bool:
    """前へ … 一メートル進んで: the same actions, with other parameters."""
    return [a.name for a in whole.actions] == [a.name for a in begun.actions]


def _within(few: tuple[Action, ...], many: tuple[Action, ...]) -> bool:
    return any(many[i : i + len(few)] == few for i in range(len(many) - len(few) + 1))


def _meant(rest: str) -> tuple[str, str]:
    """ジャガクテスワッテ → (ジャナクテ, スワッテ), in a transcript without kanji; two empty texts for anything else."""
    heard = hear(rest)
    for word, pattern in _NEARLY if heard.kana_only else ():
        if (m := pattern.match(heard.key)) and m[0] != word:
            return word, heard.key[m.end() :]
    return "", ""


def _is_remark(text: str) -> bool:
    """True for what gives a reason and does not lean on the words before it: お客さんだよ; not みたい, いる人."""
    heard = hear(text)
    words = heard.tokens or hear(hiragana(heard.text)).as_words.tokens
    if not words or words[-1].surface not in _TELLS:
        return False
    kind, more = words[0].pos[:2]
    return kind in _INDEPENDENT or (kind in ("動詞", "形容詞") and more == "一般")
