"""How many tokens this program's texts are: where `claudiad.llm.prompts.TOKENS_PER_CHARACTER` comes from.

``python -m training.prompt_tokens VOCABULARY`` with `pip install tiktoken`. VOCABULARY is the file
`dashscope/resources/qwen.tiktoken` in the wheel of `dashscope` (`pip download --no-deps dashscope`): the 151,643 byte
pairs that Qwen, Qwen2.5 and Qwen3 share.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from claudiad.brain.tables import DATA, rows
from claudiad.llm.prompts import TOKENS_PER_MESSAGE, Prompts, estimate
from claudiad.llm.request_class import PromptKind
from claudiad.robot import registry

_PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How text is cut before pairs are joined (tokenizer_config of Qwen2.5)."""


def counter(vocabulary: Path) -> Callable[[str], int]:
    """Counts the tokens of a text."""
    import tiktoken

    pairs = (line.split() for line in vocabulary.read_bytes().splitlines() if line.strip())
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    encoding = tiktoken.Encoding("qwen", pat_str=_PIECES, mergeable_ranks=ranks, special_tokens={})
    return lambda text: len(encoding.encode(text))


def report(count: Callable[[str], int], texts: Iterable[str]) -> str:
    """Tokens per character: over all of it, and of the sentence at the 99th percentile."""
    counted = [(count(text), len(text)) for text in texts]
    shares = sorted(tokens / length for tokens, length in counted)
    mean = sum(tokens for tokens, _ in counted) / sum(length for _, length in counted)
    return (
        f"{len(counted)} texts: {mean:.2f} tokens per character, 99th percentile {shares[int(0.99 * len(shares))]:.2f}"
    )


def main(arguments: Sequence[str]) -> int:
    """Print the report. Returns the exit status."""
    if len(arguments) != 1:
        print("usage: python -m training.prompt_tokens VOCABULARY", file=sys.stderr)
        return 64
    count = counter(Path(arguments[0]))
    table = [cells for _, cells in rows(DATA / "phrases.tsv", 3, 4)]
    print("phrases:", report(count, (cells[0] for cells in table)))
    print("replies:", report(count, (cells[-1] for cells in table)))
    for high_risk in (False, True):
        prompts = Prompts(registry.load(), allow_high_risk=high_risk)
        for kind in PromptKind:
            messages = prompts.warm_messages(kind)
            [message] = messages
            exact = count(message.content) + TOKENS_PER_MESSAGE
            size = len(message.content.encode())
            name = f"{kind.value}{', dangerous actions allowed' if high_risk else ''}"
            print(f"{name}: {size} bytes, {exact} tokens, estimated {estimate(messages)}")
        examples = prompts.examples()
        exact = sum(count(m.content) + TOKENS_PER_MESSAGE for m in examples)
        print(f"examples: {exact} tokens, estimated {estimate(examples)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
