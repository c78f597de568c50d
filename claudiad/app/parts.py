"""Every part of a running claudiad, and the order in which they start and stop.

Start order is written once, in `assemble`; stopping is its reverse, by the exit stack. Only this module
and the command modules know which engine a name in the configuration means.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from claudiad.app.ears import Ears
from claudiad.app.language_models import LanguageModels, open_models
from claudiad.app.settings_checks import wakes
from claudiad.app.state import open_audit, state_directory
from claudiad.audio.speaker import Speaker
from claudiad.audio.virtual import NullSpeaker
from claudiad.brain.backchannel import BackchannelTable, load_backchannels
from claudiad.brain.cache import DecisionCache
from claudiad.brain.display import Speller, load_speller
from claudiad.brain.emergency import StopFinder
from claudiad.brain.mind import Mind
from claudiad.brain.openness import OpennessTable, load_openness
from claudiad.brain.reading import reading
from claudiad.brain.router import Router, Tables, load_tables
from claudiad.clock import Clock
from claudiad.config import BrainSettings, Settings
from claudiad.llm.wording import THINKING
from claudiad.purity import latin
from claudiad.robot.base import Robot
from claudiad.robot.dispatcher import Dispatcher
from claudiad.robot.motion import Limits
from claudiad.robot.registry import ActionSpec, askable
from claudiad.robot.registry import load as load_registry
from claudiad.robot.safety import Policy
from claudiad.robot.stop_lane import StopLane
from claudiad.service import resident
from claudiad.service.audit import AuditLog
from claudiad.service.heartbeats import Heartbeats
from claudiad.service.watched import WatchedVoice
from claudiad.stt.wake import WakeGate
from claudiad.tts.engines import open_voice
from claudiad.tts.mouth import Mouth

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a turn works with. Plain references: nothing is started or stopped through this."""

    settings: Settings
    clock: Clock
    ears: Ears
    mind: Mind
    stops: StopFinder
    openness: OpennessTable
    backchannels: BackchannelTable
    speller: Speller
    wake: WakeGate
    robot: Robot
    lane: StopLane
    dispatcher: Dispatcher
    mouth: Mouth
    speaker: Speaker
    models: LanguageModels | None
    """None: no language model is asked."""
    audit: AuditLog | None
    registry: Mapping[str, ActionSpec]

    def title(self, action: str) -> str:
        """Japanese name of an action."""
        spec = self.registry.get(action)
        return spec.title if spec else action

    def quoted(self, said: str) -> str:
        """What was said, for a reason that is logged or kept on disk: only where `[privacy] log_speech` allows it."""
        return said if self.settings.privacy.log_speech else "spoken"


def brain_tables(settings: Settings, registry: Mapping[str, ActionSpec]) -> Tables:
    """The shipped tables and the owner's phrases. Raises DataError with file and line."""
    own = [Path(settings.brain.phrases)] if settings.brain.phrases else []
    return load_tables(askable(registry), own)


def mind_of(tables: Tables, settings: BrainSettings) -> Mind:
    """What decides by these tables."""
    return Mind(Router(tables), DecisionCache(settings.cache_ttl_s, settings.cache_size, settings.cache_near))


def wake_gate(settings: Settings) -> WakeGate:
    """The wake gate: on with a real robot unless told otherwise."""
    fillers = [
        reading(f) for f in ("ねえ", "ねえねえ", "えーと", "あの", "あのー", "ちょっと", "おい", "ほら", "はい", "さあ")
    ]
    return WakeGate(
        [reading(p) for p in settings.wake.phrases], fillers, settings.wake.follow_up_ms, enabled=wakes(settings)
    )


def open_robot(settings: Settings, clock: Clock) -> Robot:
    """The robot the settings name. Raises EngineMissing: a real robot that cannot be had is never simulated."""
    from claudiad.robot.sim import NullRobot, SimRobot

    if settings.robot.engine == "sim":
        return SimRobot(clock, limits=Limits.from_settings(settings.robot))
    if settings.robot.engine == "none":
        return NullRobot()
    return open_go2(settings, clock)


def open_go2(settings: Settings, clock: Clock, *, remember: bool = True) -> Robot:
    """The real robot. Raises EngineMissing without the SDK: it is never simulated instead.

    `remember`: a good start leaves its interface for `claudiad stop-robot`.
    """
    from claudiad.robot.go2 import sdk
    from claudiad.robot.go2.adapter import Go2Robot

    sdk.load()
    r, kept = settings.robot, state_directory()
    photos = Path(r.photos) if r.photos else kept / "photos"
    return Go2Robot(
        clock, r.interface, r.domain, limits=Limits.from_settings(r), photos=photos, kept=kept if remember else None
    )


@asynccontextmanager
async def assemble(
    settings: Settings,
    clock: Clock,
    *,
    robot: Robot | None = None,
    speaker: Speaker | None = None,
    ears: Ears | None = None,
    models: LanguageModels | None = None,
    keep: bool = True,
    body_clock: Clock | None = None,
    heartbeats: Heartbeats | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[Parts]:
    """All parts but the microphone, started; stopped in reverse on the way out.

    Args: `robot`, `speaker`, `ears`, `models` replace what the settings name (ears and models given stay the caller's
    to close);
    `keep` False leaves nothing on disk: no audit, no persistent latch; `body_clock` is the time robot and voice
    live in, when it is not that of the ears (recordings faster than real time).
    `heartbeats` is told of every synthesis; `on_step` of what is started next.
    Raises ClaudiaError when one cannot start.
    """
    body = body_clock or clock
    on_step("reading the tables")
    registry = load_registry()
    tables = brain_tables(settings, registry)
    async with AsyncExitStack() as stack:
        if ears is None:
            ears = await asyncio.to_thread(Ears.open, settings.stt)
            stack.push_async_callback(ears.close)
            await ears.warm()
        on_step(f"starting the robot ({settings.robot.engine})")
        robot = robot or open_robot(settings, body)
        await robot.start()
        stack.push_async_callback(robot.close)
        lane = StopLane(robot, body, latch_path=state_directory() / "latch" if keep else None)
        lane.start()
        stack.push_async_callback(asyncio.to_thread, lane.close)
        dispatcher = Dispatcher(robot, lane, Policy.from_settings(settings.robot), body)
        speaker = speaker or NullSpeaker(body)
        on_step("loading the voice")
        voice = await asyncio.to_thread(open_voice, settings.tts)
        if heartbeats is not None:
            voice = WatchedVoice(voice, heartbeats)
        mouth = Mouth(voice, speaker, clock, volume=settings.tts.volume)
        stack.push_async_callback(mouth.close)
        audit = open_audit(settings) if keep else None
        if audit is not None:
            stack.callback(audit.close)
        await mouth.prime(settings.tts.acknowledgements)
        if models is None and settings.llm.enabled:
            kept = state_directory() if keep else None
            models = await stack.enter_async_context(open_models(settings, clock, registry, tables, kept=kept))
        if models is not None:
            preparing = asyncio.create_task(_prepared(mouth), name="prime fillers")  # nobody waits for these
            stack.push_async_callback(ended, preparing)
        mind = mind_of(tables, settings.brain)
        mind.decide("準備はいいですか", robot.state(), clock.now())  # the first analysis costs ten times the others
        gc.collect()
        resident.release(("system.dic",))
        gc.freeze()  # the tables live as long as the process: walking them costs every collection 20 ms
        yield Parts(
            settings=settings,
            clock=clock,
            ears=ears,
            mind=mind,
            stops=tables.stops,
            openness=load_openness(),
            backchannels=load_backchannels(),
            speller=load_speller(tables.phrases),
            wake=wake_gate(settings),
            robot=robot,
            lane=lane,
            dispatcher=dispatcher,
            mouth=mouth,
            speaker=speaker,
            models=models,
            audit=audit,
            registry=registry,
        )


async def _prepared(mouth: Mouth) -> None:
    """What only a model's answer needs."""
    await mouth.prime(THINKING)
    await asyncio.to_thread(latin.warm)


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel it, and wait for its end; what it raises is nobody's any more."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
