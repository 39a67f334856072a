"""The words of a policy file's sections: what each is called inside, how it is read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from memtend.durations import parse_duration
from memtend.errors import InvalidName
from memtend.model.pattern import compile_pattern
from memtend.safeyaml import Node

NONE: Final = "none"
Read = Callable[[Node], Any]
Show = Callable[[Any], Any]


class Word(NamedTuple):
    """One word: the field of the policy, its reader (raises `InvalidPolicy`) and its writer."""

    field: str
    read: Read
    show: Show


def fields_of(given: Mapping[str, Node], words: Mapping[str, Word]) -> dict[str, Any]:
    """By field, what those of `words` say that are given."""
    return {
        words[name].field: words[name].read(one) for name, one in given.items() if name in words
    }


def shown(part: object, words: Mapping[str, Word]) -> dict[str, Any]:
    """A part of a policy in these words."""
    return {name: word.show(getattr(part, word.field)) for name, word in words.items()}


def time_up_to(most_ms: int, least_ms: int = 1) -> Callable[[Node], int]:
    def read(node: Node) -> int:
        parsed = parse_duration(node.plain())
        if parsed is None or not least_ms <= parsed <= most_ms:
            raise node.error(f"{node.plain()[:64]!r} is not a time such as 30d")
        return parsed

    return read


def share(node: Node) -> float:
    return node.number(0.001, 1)


def from_nought(most: float) -> Callable[[Node], float]:
    """Nothing so small that it would be written in powers of ten."""
    return lambda node: 0.0 if node.number(0, most) == 0 else node.number(0.001, most)


def whole(low: int, high: int) -> Callable[[Node], int]:
    return lambda node: node.whole(low, high)


def patterns(most: int) -> Callable[[Node], tuple[str, ...]]:
    """Of namespaces, each once."""

    def read(node: Node) -> tuple[str, ...]:
        found = []
        for item in node.sequence():
            try:
                found.append(compile_pattern(item.plain()).text)
            except InvalidName as error:
                raise item.error(str(error)) from None
        return few(node, tuple(dict.fromkeys(found)), most)

    return read


def few(node: Node, names: tuple[str, ...], most: int) -> tuple[str, ...]:
    if len(names) > most:
        raise node.error(f"more than {most} of them")
    return names


def either(word: str, read: Read) -> Read:
    """`word` reads as None."""
    return lambda node: None if node.plain().lower() == word else read(node)


def shown_or(word: str, show: Show) -> Show:
    return lambda value: word if value is None else show(value)


def plain(value: Any) -> Any:
    return value
