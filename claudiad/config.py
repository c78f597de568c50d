"""The settings tree: one frozen, typed object; its defaults are the embedded set (docs/architecture.md).

Every field carries its explanation and its range: the example file, the error messages and
docs/configuration.md are all made from here. Loading, overriding and faults: `claudiad.app.settings`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Common strictness: unknown keys are faults, nothing is coerced, nothing changes afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class AudioSettings(Section):
    """Microphone and speaker."""

    microphone: str = Field(
        "default", description="Capture device: `default`, or any part of its stable name; `none` to listen to nothing."
    )
    speaker: str = Field(
        "default", description="Playback device: `default`, or any part of its stable name; `none` for silence."
    )
    ring_ms: int = Field(
        4000,
        ge=200,
        le=60_000,
        description="Captured audio kept while the loop is busy; what does not fit is counted as overflow.",
    )
    stale_ms: int = Field(
        1500, ge=200, le=10_000, description="No audio for this long means the device is gone: it is reopened by name."
    )
    echo_cancellation: bool = Field(
        True,
        description="Take what the robot itself says out of what it hears; false where the sound server or the "
        "microphone does that.",
    )
    reopen_ms: int = Field(1000, ge=100, le=60_000, description="Pause between attempts to open a missing device.")


class EndpointSettings(Section):
    """When an utterance begins and ends."""

    aggressiveness: int = Field(2, ge=0, le=3, description="webrtcvad mode: 0 hears everything, 3 only clear speech.")
    start_ms: int = Field(60, ge=20, le=100, description="Speech needed within the last 100 ms to begin an utterance.")
    early_ms: int = Field(
        160, ge=60, le=1000, description="Silence after which recognition starts on what there is; nothing is done yet."
    )
    hangover_ms: int = Field(
        300, ge=100, le=2000, description="Silence that ends every utterance when `turn.adaptive` is false."
    )
    pre_roll_ms: int = Field(300, ge=0, le=1000, description="Audio kept from before the first voiced frame.")
    min_speech_ms: int = Field(120, ge=20, le=2000, description="Less voiced audio than this is not an utterance.")
    max_utterance_ms: int = Field(15_000, ge=1000, le=28_000, description="An utterance is cut here whatever follows.")
    margin_db: float = Field(8.0, ge=0.0, le=40.0, description="How far above the room's noise floor speech must be.")
    min_level_dbfs: float = Field(-55.0, ge=-90.0, le=-10.0, description="Frames quieter than this are never speech.")


class SttSettings(Section):
    """Speech recognition through faster-whisper."""

    model: str = Field(
        "embedded", description="`embedded`, a faster-whisper model name (`claudiad models`), or a folder."
    )
    stop_model: str = Field(
        "embedded", description="The model of the stop listener: small, so that a large one cannot delay a stop."
    )
    window_s: float = Field(
        0.0,
        ge=0.0,
        le=30.0,
        description="Shortest encoder window in seconds; 0 = the safe floor known for the model (embedded: the "
        "utterance itself; stock Whisper: 10 s).",
    )
    threads: int = Field(2, ge=1, le=32, description="CPU threads of the recogniser.")
    device: Literal["auto", "cpu", "cuda"] = Field("cpu", description="Where the model runs.")
    compute_type: str = Field("int8", description="CTranslate2 compute type.")
    oov_threshold: float = Field(0.5, ge=0.0, le=1.0, description="Above this out-of-vocabulary score nothing moves.")
    min_level_dbfs: float = Field(-50.0, ge=-90.0, le=-10.0, description="Quieter utterances are dropped as too quiet.")


class WakeSettings(Section):
    """The name that opens an ear. A stop never needs it."""

    mode: Literal["auto", "on", "off"] = Field(
        "auto", description="`auto`: on with a real robot, off with the simulator."
    )
    phrases: tuple[str, ...] = Field(
        ("クラウディア", "クラちゃん", "クラウディアちゃん"),
        description="What it answers to; ねえ and other fillers may come first.",
    )
    follow_up_ms: int = Field(8000, ge=0, le=120_000, description="After an answer, this long without the name.")


class BrainSettings(Section):
    """Understanding."""

    phrases: str = Field(
        "", description="A TSV file of your own phrases (phrase, action, reply), beside this file; empty = none."
    )
    cache_ttl_s: float = Field(
        120.0, gt=0, le=86_400, description="How long a language model's decision answers the same words again, in s."
    )
    cache_size: int = Field(
        200, ge=0, le=10_000, description="How many of a model's decisions are kept; 0 = none. The oldest unused goes."
    )
    cache_near: float = Field(
        0.9, gt=0.5, le=1, description="How alike words must be to share an answer (never a motion); 1 = the same."
    )


class LlmSettings(Section):
    """Language models through Ollama, for what no table or rule understands (docs/language-models.md)."""

    enabled: bool = Field(True, description="Ask a language model at all; without a server nothing else is missing.")
    host: str = Field(
        "", description="Ollama's address, e.g. `http://192.168.1.5:11434`; empty = $OLLAMA_HOST, else this computer."
    )
    models: tuple[str, ...] = Field(
        ("ClaudiaGo2_v11.3_Japanese_7B", "ClaudiaGo2_v11.3_Japanese"),
        description="In the order they are asked; `claudiad models create` makes these two.",
    )
    num_ctx: int = Field(
        2048,
        ge=512,
        le=131_072,
        description="Context length, tokens. One for all requests: a change reloads the model.",
    )
    num_predict: int = Field(120, ge=20, le=1000, description="Most tokens of one answer; short requests get fewer.")
    temperature: float = Field(0.2, ge=0.0, le=2.0, description="Sampling temperature.")
    top_p: float = Field(0.8, gt=0.0, le=1.0, description="Nucleus sampling.")
    connect_ms: int = Field(1000, ge=50, le=30_000, description="No connection in this time: the server is not there.")
    hedge: bool = Field(
        True, description="Ask the next model beside one whose first token is late, when it is loaded or in the cloud."
    )
    memory_turns: int = Field(3, ge=0, le=20, description="Turns of the conversation a model is told; 0 = none.")
    memory_s: float = Field(300.0, ge=0, le=86_400, description="How long a turn is remembered, s.")
    warm: bool = Field(True, description="Load the models at start and after Ollama has dropped them.")
    watch_s: float = Field(30.0, ge=5, le=3600, description="How often Ollama is asked what is loaded, s.")
    reload_degraded: bool = Field(
        False, description="Reload a model whose speed has fallen by half for good; else it is only reported."
    )


class CloudSettings(Section):
    """The last model of the chain, off by default: what was said leaves the house when it is on."""

    enabled: bool = Field(False, description="Ask the cloud when no local model is sure (needs claudiad[cloud]).")
    model: str = Field("claude-haiku-4-5", description="Anthropic's name of the model.")
    key_file: str = Field(
        "", description="File with the key; empty = systemd credential `anthropic-key`, else $ANTHROPIC_API_KEY."
    )
    daily_usd: float = Field(0.5, ge=0, le=1000, description="Spending cap of a day, US dollars; then it is not asked.")
    usd_per_mtok_in: float = Field(1.0, ge=0, le=1000, description="Price of a million tokens read, US dollars.")
    usd_per_mtok_out: float = Field(5.0, ge=0, le=1000, description="Price of a million tokens written, US dollars.")


class TtsSettings(Section):
    """The voice."""

    engine: Literal["auto", "piper", "openjtalk", "none"] = Field(
        "auto", description="`auto`: Piper when a voice is installed, else Open JTalk."
    )
    voice: str = Field(
        "", description="Piper voice file (.onnx) or the name of an installed voice; empty = the first one found."
    )
    rate: float = Field(1.1, ge=0.5, le=2.0, description="Speaking rate; 1 = the voice's own.")
    volume: float = Field(0.8, ge=0.0, le=1.0, description="Playback level.")
    acknowledgements: tuple[str, ...] = Field(
        ("はい。", "止まりました。", "わかりました。"), description="Rendered at start, so that they sound at once."
    )


class RobotSettings(Section):
    """Which robot."""

    engine: Literal["sim", "go2", "none"] = Field(
        "sim", description="`sim`, `go2` (needs the extra claudiad[go2]) or `none`."
    )
    interface: str = Field("", description="Network interface of the Go2, e.g. `eth0`.")
    domain: int = Field(0, ge=0, le=230, description="DDS domain of the Go2; its firmware uses 0.")
    photos: str = Field("", description="Folder for photos; empty: `photos` in the state directory.")
    allow_high_risk: bool = Field(
        False, description="Allow flips, jumps, pounces and handstands (posture and battery are still checked)."
    )
    max_steps: int = Field(6, ge=1, le=20, description="Longest sequence that is executed.")
    state_max_age_ms: int = Field(
        500, ge=50, le=5000, description="Older robot state: no motion starts, running motion stops."
    )
    max_speed: float = Field(0.4, gt=0.0, le=1.0, description="Walking speed limit, m/s.")
    max_turn_rate: float = Field(0.8, gt=0.0, le=2.0, description="Turning speed limit, rad/s.")
    max_distance: float = Field(3.0, gt=0.0, le=20.0, description="Longest single walk, m.")


class TurnSettings(Section):
    """Whose turn it is to speak (docs/turn-taking.md), and budgets from the end of speech (docs/architecture.md)."""

    profile: Literal["snappy", "calm"] = Field(
        "snappy", description="`snappy`: quick; `calm`: for people who pause long, children, lively rooms."
    )
    adaptive: bool = Field(
        True, description="The silence that ends an utterance follows from its words; false: `endpoint.hangover_ms`."
    )
    complete_ms: int = Field(
        0, ge=0, le=2000, description="Silence behind a complete command; 0 = the profile's (snappy 200, calm 300)."
    )
    between_ms: int = Field(
        0,
        ge=0,
        le=3000,
        description="Silence behind other words; 0 = the profile's (600, 800), longer for a speaker whose pauses are "
        "long.",
    )
    open_ms: int = Field(
        0,
        ge=0,
        le=3000,
        description="Silence behind an unfinished phrase (〜て, えーと); 0 = the profile's (1000, 1200).",
    )
    same_turn_ms: int = Field(
        1200,
        ge=0,
        le=3000,
        description="Speech that resumes this soon after a command belongs to it, and may revoke it.",
    )
    speculate: bool = Field(
        True,
        description="Use what was recognised and decided before the end was certain; nothing moves or sounds early.",
    )
    barge_in: bool = Field(True, description="Other speech lowers and pauses the voice; false: only a stop ends it.")
    barge_in_ms: int = Field(200, ge=60, le=2000, description="Speech that pauses the voice; it is lowered at once.")
    resume_ms: int = Field(
        2000,
        ge=200,
        le=10_000,
        description="After a cough or an あいづち the voice goes on this long after it was paused.",
    )
    stop_budget_ms: int = Field(300, ge=50, le=5000, description="Emergency word to StopMove.")
    action_budget_ms: int = Field(500, ge=50, le=10_000, description="Hot path to the first robot command.")
    greeting_budget_ms: int = Field(500, ge=50, le=30_000, description="A greeting to a model's first token.")
    simple_budget_ms: int = Field(1000, ge=50, le=30_000, description="A simple request to a model's first token.")
    complex_budget_ms: int = Field(2000, ge=50, le=30_000, description="A complex request to a model's first token.")
    turn_budget_ms: int = Field(8000, ge=500, le=60_000, description="The whole turn.")


class PrivacySettings(Section):
    """What people said is personal."""

    log_speech: bool = Field(True, description="false: neither log nor audit holds what was said, only what was done.")


class AuditSettings(Section):
    """The audit log: one JSON line per turn."""

    enabled: bool = Field(True, description="Write the audit log.")
    directory: str = Field(
        "", description="Where; empty = $STATE_DIRECTORY under systemd, else ~/.local/state/claudia."
    )
    max_bytes: int = Field(2_000_000, ge=10_000, le=1_000_000_000, description="Size at which a file is rotated.")
    keep: int = Field(5, ge=1, le=100, description="Rotated files kept.")


class LogSettings(Section):
    """Logging to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest level shown.")


class Settings(Section):
    """Everything that can be set."""

    audio: AudioSettings = AudioSettings()
    endpoint: EndpointSettings = EndpointSettings()
    stt: SttSettings = SttSettings()
    wake: WakeSettings = WakeSettings()
    brain: BrainSettings = BrainSettings()
    llm: LlmSettings = LlmSettings()
    cloud: CloudSettings = CloudSettings()
    tts: TtsSettings = TtsSettings()
    robot: RobotSettings = RobotSettings()
    turn: TurnSettings = TurnSettings()
    privacy: PrivacySettings = PrivacySettings()
    audit: AuditSettings = AuditSettings()
    log: LogSettings = LogSettings()

    def without_models(self) -> Settings:
        """The same, with no language model asked."""
        return self.model_copy(update={"llm": self.llm.model_copy(update={"enabled": False})})
