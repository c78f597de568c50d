"""A scripted Ollama that speaks the real protocol (server 0.33), for tests, benchmarks and demonstrations.

`FakeOllama` is the server, `OllamaTcp` puts it on a TCP port, `OllamaTransport` into an `httpx` client; `Fault` names
what can go wrong. As a process: `python -m tests.fakes.ollama --port 0 --first-token-ms 200 --tokens-per-s 20`,
which prints its address and serves until it is killed.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import suppress

from claudiad.clock import SystemClock
from tests.fakes.ollama_core import Asked, FakeOllama
from tests.fakes.ollama_faults import ConnectionLost, Fault
from tests.fakes.ollama_http import OllamaTcp
from tests.fakes.ollama_scripts import ANSWERS, Answers, ScriptedModel
from tests.fakes.ollama_virtual import OllamaTransport
from tests.fakes.ollama_writing import Generation

__all__ = [
    "ANSWERS",
    "Answers",
    "Asked",
    "ConnectionLost",
    "FakeOllama",
    "Fault",
    "Generation",
    "OllamaTcp",
    "OllamaTransport",
    "ScriptedModel",
]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.ollama", description="A scripted Ollama.")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--model", action="append", default=[], metavar="NAME", help="installed model; may be repeated")
    parser.add_argument("--base", action="append", default=[], metavar="NAME", help="model that can be pulled")
    parser.add_argument("--first-token-ms", type=float, default=0.0)
    parser.add_argument("--tokens-per-s", type=float, default=float("inf"))
    parser.add_argument("--load-ms", type=float, default=0.0)
    parser.add_argument("--pull-ms", type=float, default=0.0)
    parser.add_argument("--gpu-share", type=float, default=1.0)
    parser.add_argument("--max-loaded", type=int, default=3)
    parser.add_argument("--fault", type=Fault.__getitem__, metavar="NAME", help="a lasting fault of every chat")
    return parser


async def _serve(args: argparse.Namespace) -> None:
    def scripted(name: str) -> ScriptedModel:
        return ScriptedModel(
            name,
            first_token_s=args.first_token_ms / 1000,
            tokens_per_s=args.tokens_per_s,
            load_s=args.load_ms / 1000,
            gpu_share=args.gpu_share,
        )

    names = args.model or ["ClaudiaGo2_v11.3_Japanese_7B", "ClaudiaGo2_v11.3_Japanese"]
    core = FakeOllama(
        SystemClock(),
        [scripted(name) for name in names],
        library=[scripted(name) for name in args.base],
        max_loaded=args.max_loaded,
        pull_s=args.pull_ms / 1000,
    )
    if args.fault is not None:
        core.inject(args.fault, times=None)
    async with OllamaTcp(core, args.port) as front:
        print(front.url, flush=True)
        await asyncio.get_running_loop().create_future()


def main(words: Sequence[str] | None = None) -> None:
    """Serve until killed."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(_parser().parse_args(words)))


if __name__ == "__main__":
    main()
