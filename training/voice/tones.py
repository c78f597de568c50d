"""Build `test-tones`, a voice in Piper's format that beeps: one pitch per phoneme. It is not speech.

    python -m training.voice.tones voices

writes ``test-tones.onnx`` and ``test-tones.onnx.json`` and prints size and sha256 for the manifest. It exercises
everything a real Piper voice does (phonemes from Open JTalk, ids, length scale, onnxruntime) in a few kilobytes.
Nothing is trained: the graph is computed. Inputs and outputs are those of a Piper voice: `input` int64 (1, T),
`input_lengths` int64 (1,), `scales` float32 (3,) = noise, length, noise of widths; `output` float32 (1, 1, 1, N).
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAME = "test-tones"
SAMPLE_RATE = 16_000
HOP = 160
"""Samples per frame: durations are whole frames of 10 ms."""

EDGES = "^$"
SILENT = "_ #↑↓"
PAUSES = ",.?!;:"
VOWELS = "aeioɯɴ"
LOWEST_HZ = 150.0


def frequency(phoneme_id: int) -> float:
    """Pitch of a phoneme id in hertz: a quarter of a semitone apart, 150 Hz to 1.6 kHz over Piper's ids."""
    return float(LOWEST_HZ * 2 ** (phoneme_id / 48))


def tables(id_map: dict[str, list[int]]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Per id: frequency in hertz, frames at length scale 1, amplitude. Shape (number of ids,) each."""
    count = 1 + max(i for ids in id_map.values() for i in ids)
    hertz = np.array([frequency(i) for i in range(count)], np.float32)
    frames = np.full(count, 6.0, np.float32)
    amplitude = np.full(count, 0.5, np.float32)
    for phoneme, ids in id_map.items():
        if phoneme in VOWELS:
            frames[ids] = 10.0
        elif phoneme in PAUSES:
            frames[ids], amplitude[ids] = 16.0, 0.0
        elif phoneme in EDGES:
            frames[ids], amplitude[ids] = 2.0, 0.0
        elif phoneme in SILENT:
            frames[ids], amplitude[ids] = 0.0, 0.0
    return hertz, frames, amplitude


def graph(id_map: dict[str, list[int]]) -> Any:
    """The ONNX model: durations, a running phase, a sine with one overtone, softened edges."""
    from onnx import TensorProto, helper, numpy_helper

    hertz, frames, amplitude = tables(id_map)
    constants: dict[str, NDArray[Any]] = {
        "hertz": hertz,
        "frames": frames,
        "amplitude": amplitude,
        "zero": np.array(0, np.int64),
        "one": np.array(1, np.int64),
        "zeros": np.array([0], np.int64),
        "ones": np.array([1], np.int64),
        "last": np.array(-1, np.int64),
        "flat": np.array([-1], np.int64),
        "per_sample": np.array([1, HOP], np.int64),
        "row": np.array([1, 1, -1], np.int64),
        "shape": np.array([1, 1, 1, -1], np.int64),
        "radians": np.array(2 * np.pi / SAMPLE_RATE, np.float32),
        "two": np.array(2.0, np.float32),
        "overtone": np.array(0.3, np.float32),
    }
    steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("Squeeze", ["input", "zeros"], "all_ids", {}),
        ("Slice", ["all_ids", "zeros", "input_lengths"], "ids", {}),
        ("Gather", ["scales", "one"], "length_scale", {}),
        ("Gather", ["frames", "ids"], "own_frames", {}),
        ("Mul", ["own_frames", "length_scale"], "scaled_frames", {}),
        ("Round", ["scaled_frames"], "whole_frames", {}),
        ("Cast", ["whole_frames"], "durations", {"to": TensorProto.INT64}),
        ("CumSum", ["durations", "zero"], "ends", {}),
        ("Gather", ["ends", "last"], "total", {}),
        # The phoneme of a frame is the number of phonemes that have ended by then.
        ("Range", ["zero", "total", "one"], "times", {}),
        ("Unsqueeze", ["times", "ones"], "times_column", {}),
        ("GreaterOrEqual", ["times_column", "ends"], "ended", {}),
        ("Cast", ["ended"], "ended_count", {"to": TensorProto.INT64}),
        ("ReduceSum", ["ended_count", "ones"], "which", {"keepdims": 0}),
        ("Gather", ["ids", "which"], "frame_ids", {}),
    ]
    for table in ("hertz", "amplitude"):
        steps += [
            ("Gather", [table, "frame_ids"], f"frame_{table}", {}),
            ("Unsqueeze", [f"frame_{table}", "ones"], f"{table}_column", {}),
            ("Expand", [f"{table}_column", "per_sample"], f"{table}_block", {}),
            ("Reshape", [f"{table}_block", "flat"], f"sample_{table}", {}),
        ]
    steps += [
        ("CumSum", ["sample_hertz", "zero"], "cycles", {}),
        ("Mul", ["cycles", "radians"], "phase", {}),
        ("Sin", ["phase"], "tone", {}),
        ("Mul", ["phase", "two"], "phase_2", {}),
        ("Sin", ["phase_2"], "tone_2", {}),
        ("Mul", ["tone_2", "overtone"], "quiet_2", {}),
        ("Add", ["tone", "quiet_2"], "timbre", {}),
        ("Reshape", ["sample_amplitude", "row"], "steps", {}),
        ("AveragePool", ["steps"], "ramps", {"kernel_shape": [81], "pads": [40, 40], "count_include_pad": 1}),
        ("Reshape", ["ramps", "flat"], "envelope", {}),
        ("Mul", ["timbre", "envelope"], "wave", {}),
        ("Reshape", ["wave", "shape"], "output", {}),
    ]
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node(op, inputs, [output], **more) for op, inputs, output, more in steps],
            "test-tones: one beep per phoneme, not speech",
            [
                helper.make_tensor_value_info("input", TensorProto.INT64, [1, "phonemes"]),
                helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
                helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
            ],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, "samples"])],
            [numpy_helper.from_array(value, name) for name, value in constants.items()],
        ),
        producer_name="claudiad training.voice.tones",
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    model.doc_string = "Not speech: audible tones for tests."
    return model


def config(id_map: dict[str, list[int]]) -> dict[str, Any]:
    """The voice's ``.onnx.json``, with Piper's own phoneme ids, so that it reads Japanese as a real voice does."""
    return {
        "not_speech": True,
        "description": "Audible tones for tests, one pitch per phoneme. Not speech.",
        "audio": {"sample_rate": SAMPLE_RATE},
        "espeak": {"voice": "ja"},
        "phoneme_type": "japanese",
        "inference": {"noise_scale": 0.0, "length_scale": 1.0, "noise_w": 0.0},
        "num_symbols": 1 + max(i for ids in id_map.values() for i in ids),
        "num_speakers": 1,
        "speaker_id_map": {},
        "hop_length": HOP,
        "phoneme_id_map": id_map,
    }


def build(folder: Path) -> tuple[Path, Path]:
    """Write both files into `folder` and return their paths. Needs the packages `onnx` and `piper-tts`."""
    import onnx
    from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

    model = graph(DEFAULT_PHONEME_ID_MAP)
    onnx.checker.check_model(model, full_check=True)
    voice, settings = folder / f"{NAME}.onnx", folder / f"{NAME}.onnx.json"
    voice.write_bytes(model.SerializeToString(deterministic=True))
    settings.write_text(
        json.dumps(config(DEFAULT_PHONEME_ID_MAP), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    return voice, settings


def main() -> None:
    """Build into the folder named on the command line, by default ``voices``."""
    for path in build(Path(sys.argv[1] if len(sys.argv) > 1 else "voices")):
        content = path.read_bytes()
        print(f'{{ file = "{path.name}", size = {len(content)}, sha256 = "{hashlib.sha256(content).hexdigest()}" }}')


if __name__ == "__main__":
    main()
