"""The Whisper architecture in JAX, small: what CTranslate2's Whisper runs, layer for layer.

Differences from stock Whisper are sizes only: 80 mels at a 20 ms hop (so an encoder step is 40 ms,
half the work per second of speech), a kana vocabulary, and a CTC head on the encoder, which makes
training quick, helps to choose between hypotheses and gives the out-of-vocabulary score.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from training.stt import vocabulary as v

Params = dict[str, Any]


@dataclass(frozen=True)
class Size:
    width: int = 192
    heads: int = 4
    encoder_layers: int = 5
    decoder_layers: int = 2
    mels: int = 80
    positions: int = 750  # encoder steps of 40 ms
    text_positions: int = 160


def sinusoids(length: int, channels: int) -> np.ndarray:
    """Whisper's fixed encoder positions (openai/whisper, model.py)."""
    step = np.log(10_000) / (channels // 2 - 1)
    angle = np.arange(length)[:, None] * np.exp(-step * np.arange(channels // 2))[None, :]
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1).astype(np.float32)


def init(key: jax.Array, s: Size) -> Params:
    keys = iter(jax.random.split(key, 400))

    def lin(i: int, o: int, scale: float = 1.0, bias: bool = True) -> Params:
        p: Params = {"w": jax.random.normal(next(keys), (i, o)) * (scale * i**-0.5)}
        if bias:
            p["b"] = jnp.zeros(o)
        return p

    def ln() -> Params:
        return {"g": jnp.ones(s.width), "b": jnp.zeros(s.width)}

    depth = (2 * (s.encoder_layers + s.decoder_layers)) ** -0.5

    def attn() -> Params:
        w = s.width
        return {"q": lin(w, w), "k": lin(w, w, bias=False), "v": lin(w, w), "o": lin(w, w, depth)}

    def mlp() -> Params:
        return {"up": lin(s.width, 4 * s.width), "down": lin(4 * s.width, s.width, depth)}

    return {
        "conv1": {
            "w": jax.random.normal(next(keys), (3, s.mels, s.width)) * (3 * s.mels) ** -0.5,
            "b": jnp.zeros(s.width),
        },
        "conv2": {
            "w": jax.random.normal(next(keys), (3, s.width, s.width)) * (3 * s.width) ** -0.5,
            "b": jnp.zeros(s.width),
        },
        "enc": [{"ln1": ln(), "attn": attn(), "ln2": ln(), "mlp": mlp()} for _ in range(s.encoder_layers)],
        "enc_ln": ln(),
        "ctc": lin(s.width, v.CTC_CLASSES),
        "emb": jax.random.normal(next(keys), (len(v.TOKENS), s.width)) * 0.05,
        "pos": jax.random.normal(next(keys), (s.text_positions, s.width)) * 0.02,
        "dec": [
            {"ln1": ln(), "attn": attn(), "ln2": ln(), "cross": attn(), "ln3": ln(), "mlp": mlp()}
            for _ in range(s.decoder_layers)
        ],
        "dec_ln": ln(),
    }


def norm(p: Params, x: jax.Array) -> jax.Array:
    mean = x.mean(-1, keepdims=True)
    x = x - mean
    return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * p["g"] + p["b"]


def linear(p: Params, x: jax.Array) -> jax.Array:
    y = x @ p["w"]
    return y + p["b"] if "b" in p else y


def attention(p: Params, x: jax.Array, memory: jax.Array, heads: int, mask: jax.Array | None) -> jax.Array:
    b, t, w = x.shape
    u, d = memory.shape[1], w // heads
    q = linear(p["q"], x).reshape(b, t, heads, d).transpose(0, 2, 1, 3) * d**-0.5
    k = linear(p["k"], memory).reshape(b, u, heads, d).transpose(0, 2, 3, 1)
    val = linear(p["v"], memory).reshape(b, u, heads, d).transpose(0, 2, 1, 3)
    score = q @ k
    if mask is not None:
        score = jnp.where(mask, score, -1e9)
    return linear(p["o"], (jax.nn.softmax(score, axis=-1) @ val).transpose(0, 2, 1, 3).reshape(b, t, w))


def gelu(x: jax.Array) -> jax.Array:
    # the tanh form is half the cost on a CPU and within 1e-3 of the erf that CTranslate2 runs
    return jax.nn.gelu(x, approximate=True)


def dropout(x: jax.Array, key: jax.Array | None, rate: float) -> jax.Array:
    if key is None:
        return x
    keep = jax.random.bernoulli(key, 1 - rate, (x.shape[0], 1, x.shape[2]))  # whole channels per utterance: cheap masks
    return x * keep / (1 - rate)


def encode(p: Params, mel: jax.Array, s: Size, key: jax.Array | None = None, rate: float = 0.0) -> jax.Array:
    """mel (b, frames, mels) → (b, frames/2, width)."""
    keys = [None] * 40 if key is None else list(jax.random.split(key, 40))
    dims = ("NWC", "WIO", "NWC")
    x = gelu(
        jax.lax.conv_general_dilated(mel, p["conv1"]["w"], (1,), [(1, 1)], dimension_numbers=dims) + p["conv1"]["b"]
    )
    x = gelu(jax.lax.conv_general_dilated(x, p["conv2"]["w"], (2,), [(1, 1)], dimension_numbers=dims) + p["conv2"]["b"])
    x = x + jnp.asarray(sinusoids(s.positions, s.width))[: x.shape[1]]
    for i, layer in enumerate(p["enc"]):
        h = norm(layer["ln1"], x)
        x = x + dropout(attention(layer["attn"], h, h, s.heads, None), keys[2 * i], rate)
        x = x + dropout(
            linear(layer["mlp"]["down"], gelu(linear(layer["mlp"]["up"], norm(layer["ln2"], x)))), keys[2 * i + 1], rate
        )
    return norm(p["enc_ln"], x)


def decode(p: Params, tokens: jax.Array, memory: jax.Array, s: Size) -> jax.Array:
    """tokens (b, n) and memory (b, t, width) → logits (b, n, vocabulary)."""
    n = tokens.shape[1]
    x = p["emb"][tokens] + p["pos"][:n]
    mask = jnp.tril(jnp.ones((n, n), bool))
    for layer in p["dec"]:
        h = norm(layer["ln1"], x)
        x = x + attention(layer["attn"], h, h, s.heads, mask)
        x = x + attention(layer["cross"], norm(layer["ln2"], x), memory, s.heads, None)
        x = x + linear(layer["mlp"]["down"], gelu(linear(layer["mlp"]["up"], norm(layer["ln3"], x))))
    return norm(p["dec_ln"], x) @ p["emb"].T
