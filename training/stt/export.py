"""Trained weights → a folder faster-whisper loads: CTranslate2 int8, tokenizer, feature settings, CTC head.

    python -m training.stt.export --model build/model.ckpt --out claudiad/data/stt

Besides the usual files there is ``ctc.npz``: the training-time CTC head (weight, bias, characters).
`claudiad.stt` uses it to ask how well the sound supports the text; without it the model still works.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import common_spec, whisper_spec
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from training.stt import augment
from training.stt import vocabulary as v
from training.stt.model import Params, Size, sinusoids

# Tokens stock `WhisperModel.transcribe` asks its tokenizer for; never trained, never produced.
EXTRA = ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>"]
TOKENS = v.TOKENS + EXTRA
NEVER = -1e4
CALIBRATION = "calibration.json"
UNCALIBRATED = {"decoder_log_p": 0.0, "gap": 0.0, "sharpness": 0.0, "rate": 0.0, "bias": -40.0}
TEXT_POSITIONS = 448  # and decodes up to 448 tokens when nothing ends it sooner
POSITIONS = 1500  # stock transcribe() pads to 3000 mel frames whatever the hop: 60 s at ours


def linear(spec: Any, *layers: Params) -> None:
    """Fill a LinearSpec, several layers side by side where CTranslate2 fuses them."""
    spec.weight = np.concatenate([p["w"].T for p in layers]).astype(np.float32)
    if any("b" in p for p in layers):
        spec.bias = np.concatenate([p.get("b", np.zeros(p["w"].shape[1])) for p in layers]).astype(np.float32)


def norm(spec: common_spec.LayerNormSpec, p: Params) -> None:
    spec.gamma, spec.beta = p["g"].astype(np.float32), p["b"].astype(np.float32)


def feed_forward(spec: Any, ln: Params, p: Params) -> None:
    norm(spec.layer_norm, ln)
    linear(spec.linear_0, p["up"])
    linear(spec.linear_1, p["down"])


def self_attention(spec: Any, ln: Params, p: Params) -> None:
    norm(spec.layer_norm, ln)
    linear(spec.linear[0], p["q"], p["k"], p["v"])
    linear(spec.linear[1], p["o"])


def to_spec(p: Params, s: Size) -> whisper_spec.WhisperSpec:
    spec = whisper_spec.WhisperSpec(s.encoder_layers, s.heads, s.decoder_layers, s.heads)
    enc, dec = spec.encoder, spec.decoder
    for target, source in ((enc.conv1, p["conv1"]), (enc.conv2, p["conv2"])):
        target.weight = source["w"].transpose(2, 1, 0).astype(np.float32)  # ours (k, in, out) → (out, in, k)
        target.bias = source["b"].astype(np.float32)
    enc.position_encodings.encodings = sinusoids(POSITIONS, s.width)
    for layer, source in zip(enc.layer, p["enc"], strict=True):
        self_attention(layer.self_attention, source["ln1"], source["attn"])
        feed_forward(layer.ffn, source["ln2"], source["mlp"])
    norm(enc.layer_norm, p["enc_ln"])
    spare = np.zeros((len(EXTRA), s.width), np.float32)
    dec.embeddings.weight = np.concatenate([p["emb"], spare]).astype(np.float32)
    dec.projection.weight = dec.embeddings.weight.copy()
    dec.projection.bias = np.array([NEVER if t in v.SILENT or t in EXTRA else 0.0 for t in TOKENS], np.float32)
    unused = np.zeros((TEXT_POSITIONS - s.text_positions, s.width))
    dec.position_encodings.encodings = np.concatenate([p["pos"], unused]).astype(np.float32)
    for layer, source in zip(dec.layer, p["dec"], strict=True):
        self_attention(layer.self_attention, source["ln1"], source["attn"])
        norm(layer.attention.layer_norm, source["ln2"])
        linear(layer.attention.linear[0], source["cross"]["q"])
        linear(layer.attention.linear[1], source["cross"]["k"], source["cross"]["v"])
        linear(layer.attention.linear[2], source["cross"]["o"])
        feed_forward(layer.ffn, source["ln3"], source["mlp"])
    norm(dec.layer_norm, p["dec_ln"])
    return spec


def tokenizer() -> Tokenizer:
    tok = Tokenizer(models.WordLevel(vocab={t: i for i, t in enumerate(TOKENS)}, unk_token=v.UNK))
    tok.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tok.decoder = decoders.Fuse()
    tok.add_special_tokens([AddedToken(t, special=True) for t in TOKENS if t.startswith("<")])
    return tok


def load(path: Path) -> tuple[Params, Size]:
    with path.open("rb") as f:
        saved = pickle.load(f)  # noqa: S301 - our own checkpoint
    return saved["params"], Size(**saved["size"])


def export(params: Params, size: Size, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    spec = to_spec(params, size)
    spec.register_vocabulary(TOKENS)
    spec.config.suppress_ids = [0]
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = []
    spec.config.alignment_heads = [[size.decoder_layers - 1, h] for h in range(size.heads)]
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(out))
    tokenizer().save(str(out / "tokenizer.json"))
    (out / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "feature_size": size.mels,
                "sampling_rate": augment.RATE,
                "hop_length": augment.HOP,
                "n_fft": augment.FFT,
                "chunk_length": 60,
            },
            indent=1,
        )
        + "\n"
    )
    np.savez_compressed(
        out / "ctc.npz",
        weight=params["ctc"]["w"].astype(np.float16),
        bias=params["ctc"]["b"].astype(np.float32),
        characters=np.array(list(v.KANA)),
    )


def checksums(folder: Path) -> str:
    names = sorted(
        p for p in folder.iterdir() if p.name not in {"SHA256SUMS", "README.md", "__init__.py"} and p.is_file()
    )
    return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in names)


def main() -> None:
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--model", type=Path, help="checkpoint of training.stt.train")
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--checksums", action="store_true", help="only write SHA256SUMS again, after calibration")
    o = a.parse_args()
    if not o.checksums:
        export(*load(o.model), o.out)
        if not (o.out / CALIBRATION).exists():  # nothing is out of vocabulary until `calibrate` has run
            (o.out / CALIBRATION).write_text(json.dumps(UNCALIBRATED, indent=1) + "\n", encoding="utf-8")
    (o.out / "SHA256SUMS").write_text(checksums(o.out), encoding="utf-8")


if __name__ == "__main__":
    main()
