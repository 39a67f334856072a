"""YAML from strangers: bounded before it is understood, and every complaint names its line.

Only plain data is read: mappings with text keys (each once), lists and scalars. Tags that make
objects are refused. Size, nesting, nodes and aliases are counted on the stream of events, before
anything is built; what aliases would expand to is counted too, so that a "billion laughs" file is
refused at once. Scalars stay text until somebody asks for a type: `02:00` is not 120 here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import yaml

from memtend.errors import InvalidPolicy
from memtend.limits import (
    POLICY_ALIASES_MAX,
    POLICY_BYTES_MAX,
    POLICY_DEPTH_MAX,
    POLICY_NODES_MAX,
)

T = TypeVar("T")
N = TypeVar("N", int, float)

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = {f"tag:yaml.org,2002:{t}" for t in ("str", "int", "float", "bool", "null", "timestamp")}
_NULL = "tag:yaml.org,2002:null"
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_WHOLE = re.compile(r"0|[1-9][0-9_]{0,18}", re.ASCII)
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,18})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Node:
    """One value of the file, and where it stands."""

    source: str
    line: int
    kind: str
    text: str = ""
    items: tuple[Node, ...] = ()
    fields: Mapping[str, Node] = field(default_factory=dict)

    def error(self, why: str) -> InvalidPolicy:
        return InvalidPolicy(source=self.source, where=f"line {self.line}", why=why)

    def mapping(self, allowed: Mapping[str, object] | tuple[str, ...]) -> Mapping[str, Node]:
        if self.kind == "null":
            return {}
        if self.kind != "mapping":
            raise self.error(f"a mapping is wanted here, not a {self.kind}")
        for name, node in self.fields.items():
            if name not in allowed:
                raise node.error(f"unknown key {name!r}; allowed: {', '.join(allowed)}")
        return self.fields

    def sequence(self) -> tuple[Node, ...]:
        if self.kind not in ("list", "null"):
            raise self.error(f"a list is wanted here, not a {self.kind}")
        return self.items

    def plain(self) -> str:
        if self.kind != "scalar" or not self.text:
            raise self.error(f"text is wanted here, not {self._shown()}")
        return self.text

    def flag(self) -> bool:
        return self.choice(_FLAGS, shown="true or false")

    def choice(self, choices: Mapping[str, T], shown: str = "") -> T:
        found = self.plain().lower()
        if found not in choices:
            raise self.error(f"{self._shown()} is not {shown or 'one of ' + ', '.join(choices)}")
        return choices[found]

    def whole(self, low: int, high: int) -> int:
        if not _WHOLE.fullmatch(self.plain()):
            raise self.error(f"{self._shown()} is not a whole number")
        return self._between(int(self.text.replace("_", "")), low, high)

    def number(self, low: float, high: float) -> float:
        if not _NUMBER.fullmatch(self.plain()):
            raise self.error(f"{self._shown()} is not a number")
        return self._between(float(self.text), low, high)

    def _between(self, value: N, low: float, high: float) -> N:
        if not low <= value <= high:
            raise self.error(f"{self._shown()} is not between {low} and {high}")
        return value

    def _shown(self) -> str:
        if self.kind != "scalar":
            return f"a {self.kind}"
        return repr(self.text if len(self.text) <= 64 else self.text[:64] + "…")


def read_yaml(data: str | bytes, source: str) -> Node:
    """The one document in `data`; raises `InvalidPolicy`."""
    text = _decode(data, source)
    try:
        _count(text, source)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}" if mark else "the file"
        raise InvalidPolicy(source=source, where=where, why=error.problem or "not YAML") from None
    except yaml.YAMLError:
        why = "it holds characters that YAML does not allow"
        raise InvalidPolicy(source=source, where="the file", why=why) from None
    if root is None:
        return Node(source, 1, "null")
    budget = iter(range(POLICY_NODES_MAX))
    return _build(root, source, 0, budget)


def _decode(data: str | bytes, source: str) -> str:
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > POLICY_BYTES_MAX:
        why = f"longer than {POLICY_BYTES_MAX:,} bytes"
        raise InvalidPolicy(source=source, where="the file", why=why)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InvalidPolicy(source=source, where=f"line {line}", why="it is not UTF-8") from None


def _count(text: str, source: str) -> None:
    depth = nodes = aliases = 0
    for event in yaml.parse(text, Loader=_LOADER):
        nodes += isinstance(event, yaml.NodeEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        for what, found, limit in (
            ("levels", depth, POLICY_DEPTH_MAX),
            ("values", nodes, POLICY_NODES_MAX),
            ("aliases", aliases, POLICY_ALIASES_MAX),
        ):
            if found > limit:
                where = f"line {_line(event)}"
                raise InvalidPolicy(source=source, where=where, why=f"more than {limit:,} {what}")


def _line(node: yaml.Node | yaml.Event) -> int:
    return node.start_mark.line + 1 if node.start_mark else 0


def _build(node: yaml.Node, source: str, depth: int, budget: Iterator[int]) -> Node:
    line = _line(node)
    if depth > POLICY_DEPTH_MAX or next(budget, None) is None:
        why = "its aliases expand to more than a policy file may hold"
        raise InvalidPolicy(source=source, where=f"line {line}", why=why)
    if isinstance(node, yaml.SequenceNode):
        items = tuple(_build(item, source, depth + 1, budget) for item in node.value)
        return Node(source, line, "list", items=items)
    if isinstance(node, yaml.MappingNode):
        return Node(source, line, "mapping", fields=_fields(node, source, depth, budget))
    if node.tag not in _PLAIN:
        why = f"the tag {node.tag!r} is not allowed"
        raise InvalidPolicy(source=source, where=f"line {line}", why=why)
    return Node(source, line, "null" if node.tag == _NULL else "scalar", text=node.value)


def _fields(
    node: yaml.MappingNode, source: str, depth: int, budget: Iterator[int]
) -> dict[str, Node]:
    fields: dict[str, Node] = {}
    for key, value in node.value:
        where = f"line {_line(key)}"
        if not isinstance(key, yaml.ScalarNode):
            raise InvalidPolicy(source=source, where=where, why="a key must be plain text")
        if key.value in fields:
            first = fields[key.value].line
            why = f"the key {key.value[:64]!r} was given before, on line {first}"
            raise InvalidPolicy(source=source, where=where, why=why)
        fields[key.value] = _build(value, source, depth + 1, budget)
    return fields
