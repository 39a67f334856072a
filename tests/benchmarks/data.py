"""What is stored: agent memory of 512 to 1,000 bytes of JSON, the same for every side.

Below the compression threshold, so that all sides write the same bytes. A tenth carries a tag.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

NAMESPACES = 10
TAGGED_EVERY = 10
PER_TAG = 50
_BYTES = (512, 1_000)
_DRAWN = random.Random("memtend benchmark text")
_WORDS = (
    "retry", "timeout", "parser", "schema", "index", "cache", "plan", "review", "merge", "commit",
    "rollback", "deploy", "lint", "test", "fixture", "branch", "token", "prompt", "tool",
    "answer", "search", "fetch", "summary", "goal", "step", "result",
)  # fmt: skip
_TEXT = " ".join(_DRAWN.choice(_WORDS) for _ in range(20_000))


class Item(NamedTuple):
    namespace: str
    key: str
    value: dict[str, Any]
    tag: str | None = None


def item(number: int, version: int = 0) -> Item:
    """The record with this number; its bytes follow from number and version."""
    mix = (number * 2_654_435_761 + version * 40_503) % 2**32
    length = _BYTES[0] + mix % (_BYTES[1] - _BYTES[0])
    value: dict[str, Any] = {
        "task": number,
        "version": version,
        "status": "done" if mix % 3 else "open",
        "steps": [mix % 97, mix % 89, mix % 83],
        "topic": tag_of(number),
        "note": "",
    }
    start = mix % (len(_TEXT) - _BYTES[1])
    value["note"] = _TEXT[start : start + length - len(orjson.dumps(value))]
    return Item(namespace_of(number), key_of(number), value, tag_of(number))


def long_item(number: int, version: int = 0) -> Item:
    """The same with about 4 KB of text."""
    short = item(number, version)
    start = number * 7_919 % (len(_TEXT) - 4_000)
    return short._replace(value=short.value | {"note": _TEXT[start : start + 3_800]})


def namespace_of(number: int) -> str:
    return f"bench/agent-{number % NAMESPACES}"


def key_of(number: int) -> str:
    return f"task/{number:08d}"


def tag_of(number: int) -> str | None:
    if number % TAGGED_EVERY:
        return None
    return f"topic-{number // TAGGED_EVERY // PER_TAG}"


def tagged(tag: str, size: int) -> list[int]:
    """Numbers of the records under `size` that carry `tag`."""
    first = int(tag.removeprefix("topic-")) * PER_TAG * TAGGED_EVERY
    return list(range(first, min(first + PER_TAG * TAGGED_EVERY, size), TAGGED_EVERY))


def some(size: int, count: int, seed: str) -> list[int]:
    """`count` random numbers below `size`, the same in every run."""
    dice = random.Random(seed)
    return [dice.randrange(size) for _ in range(count)]


def numbers(size: int, count: int, seed: str) -> Iterator[int]:
    """`count` different numbers below `size`."""
    yield from random.Random(seed).sample(range(size), count)
