"""The character vocabulary: katakana as pronounced, and the special tokens Whisper's format needs."""

from __future__ import annotations

KANA = (
    "アイウエオカキクケコガギグゲゴサシスセソザジズゼゾタチツテトダヂヅデドナニヌネノハヒフヘホ"
    "バビブベボパピプペポマミムメモヤユヨラリルレロワヲンヴァィゥェォャュョッーヮ"
)
UNK = "<unk>"
EOT = "<|endoftext|>"
SOT = "<|startoftranscript|>"
NO_SPEECH = "<|nospeech|>"
NO_TIMESTAMPS = "<|notimestamps|>"
TOKENS: list[str] = [UNK, *KANA, EOT, SOT, NO_SPEECH, NO_TIMESTAMPS, "<|0.00|>"]
SILENT = {UNK, SOT, NO_SPEECH, NO_TIMESTAMPS, "<|0.00|>"}  # never produced
INDEX = {t: i for i, t in enumerate(TOKENS)}
EOT_ID, SOT_ID, NOTS_ID = INDEX[EOT], INDEX[SOT], INDEX[NO_TIMESTAMPS]
CTC_CLASSES = 1 + len(KANA)  # blank = 0; kana k = its token id


def encode(reading: str) -> list[int]:
    return [INDEX[c] for c in reading if c in INDEX]
