"""How soon the voice begins: clause by clause while the model writes, against the whole answer awaited first.

The clock begins with the question. Both ways ask the same model the same thing and speak through a `Mouth` of the same
kind, which cuts what it gets into clauses: also the way that waits begins to sound as soon as its first clause is
rendered, not when all of it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from bench.llm_rig import models_on, question, served, settings_with
from claudiad.app.language_models import LanguageModels, choosable
from claudiad.audio.virtual import MemorySpeaker
from claudiad.clock import SystemClock
from claudiad.llm.answer import AnswerReader
from claudiad.llm.model import Piece
from claudiad.llm.ollama_server import OllamaServer
from claudiad.llm.request_class import RequestClass
from claudiad.llm.schema import answer_json
from claudiad.llm.thinker import Question, Say
from claudiad.robot import registry
from claudiad.tts.mouth import Mouth
from claudiad.tts.openjtalk import OpenJTalkVoice
from tests.fakes.ollama import ScriptedModel

FIRST_TOKEN_S, TOKENS_PER_S = 0.2, 20.0
REPLIES = {
    "量子力学について教えて": "量子力学は、とても小さな粒の世界の決まりです。粒は波のようにもふるまいます。"
    "どこにあるかは、見るまで決まりません。その不思議な決まりのおかげで、電話や計算機が動いています。"
    "むずかしいですが、面白いですよ。",
    "どうして空は青いのか教えて": "太陽の光には、いろいろな色がまざっています。"
    "青い光は空気の粒に当たって、あちこちに散らばります。"
    "その光がいろいろな方向から目に届くので、空は青く見えるのです。夕方は赤い光が残ります。",
    "宇宙について教えて": "宇宙は、とても広くて、今も広がりつづけています。星や銀河が、数えきれないほどあります。"
    "いちばん遠い光は、百億年よりも長い旅をして、ここまで来ました。すごいですね。",
    "富士山について教えて": "はい、お話しします。富士山は、日本でいちばん高い山です。"
    "昔は何度も火を吹いて、今のきれいな形になりました。"
    "夏には、たくさんの人が頂上をめざして登ります。わたしも、いつか登ってみたいです。",
    "昔話をして": "むかしむかし、ある山の村に、小さな犬がいました。犬は毎日、川の向こうの森を見ていました。"
    "ある日、思いきって橋をわたると、森の犬たちが迎えてくれました。それからは、毎日いっしょに遊んだそうです。",
}
"""By question: 80 to 120 characters in several sentences, with a first clause that is long, middling or short."""
CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Beginning:
    """One answer of one way."""

    text: str
    characters: int
    """Of the reply."""
    streamed: bool
    first_sound_ms: float
    """From the question."""


async def beginnings(rounds: int) -> list[Beginning]:
    """Both ways after each other, `rounds` times, with another question each time."""
    settings = settings_with()
    scripted = [ScriptedModel(n, first_token_s=FIRST_TOKEN_S, tokens_per_s=TOKENS_PER_S) for n in settings.llm.models]
    voice = await asyncio.to_thread(OpenJTalkVoice, settings.tts.rate)
    await asyncio.to_thread(voice.synthesise, "準備ができました。")
    found: list[Beginning] = []
    with served(scripted, {key: answer_json([], reply) for key, reply in REPLIES.items()}) as remote:
        async with models_on(OllamaServer(remote.url), settings, CLOCK) as models:
            for number in range(rounds):
                text, reply = list(REPLIES.items())[number % len(REPLIES)]
                for streamed in (True, False) if number % 2 else (False, True):
                    asked = question(models, text, CLOCK.now(), RequestClass.COMPLEX)
                    words = _as_written(models, asked) if streamed else _whole(models, asked)
                    seconds = await _first_sound(words, voice, reply)
                    found.append(Beginning(text, len(reply), streamed, seconds * 1000.0))
    return found


async def _as_written(models: LanguageModels, asked: Question) -> AsyncGenerator[str, None]:
    """Clauses, as a turn hands them to the voice."""
    async with aclosing(models.thinker.begin(asked).thoughts()) as thoughts:
        async for thought in thoughts:
            if isinstance(thought, Say):
                yield thought.text


async def _whole(models: LanguageModels, asked: Question) -> AsyncGenerator[str, None]:
    """The reply in one piece, once all of it is there."""
    reader = AnswerReader(choosable(registry.load(), allow_high_risk=False))
    async with aclosing(models.server.stream(models.thinker.settings.llm.models[0], asked.request)) as parts:
        async for part in parts:
            if isinstance(part, Piece):
                reader.feed(part.text)
    yield reader.finish().reply


async def _first_sound(words: AsyncGenerator[str, None], voice: OpenJTalkVoice, reply: str) -> float:
    """Seconds until the first of `words` sounds; all of them are read, and have to be the reply."""
    began = CLOCK.now()
    # Played in no time: what is measured is over when the first clause begins.
    speaker = MemorySpeaker(CLOCK, "fast")
    mouth = Mouth(voice, speaker, CLOCK)
    try:
        spoken = await mouth.say_as_written(words)
    finally:
        await mouth.close()
        await words.aclose()
    said = "".join(spoken.spoken).replace("、", "")  # one at the end of a clause is a pause, no word
    if said != reply.replace("、", "") or spoken.first_audio_at is None:
        raise RuntimeError(f"{spoken.spoken} is not {reply}")
    return spoken.first_audio_at + speaker.latency_s - began
