"""Retention as other tools keep it, in a policy file of ours: rules, limits, and what was lost.

    made = translate(Path("old-project"))
    print(made.text)        # YAML for `memtend policies check` and `set`, notes on top of it
    made.notes              # what was clamped, read otherwise, or has no equivalent

Nothing is guessed: a setting whose meaning is not certain is named in a note and not translated,
and so is every key that nobody here knows. The source is only read.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import Any, Final, NamedTuple

from memtend.errors import InvalidPolicy, SourceUnknown
from memtend.limits import POLICY_BYTES_MAX
from memtend.limits_foreign import IMPORT_TOLD_MAX
from memtend.migrate import claude_flow, legacy_lifecycle, swarm
from memtend.migrate.detect import KINDS, detect_source
from memtend.migrate.files import SourceFile, opened
from memtend.migrate.jsontext import parse, refuse_doubled_keys
from memtend.migrate.policies_lifecycle import differences
from memtend.migrate.policies_swarm import CONFIG, SCHEMA, from_swarm
from memtend.migrate.policies_tree import Tree
from memtend.model.policyfile import PolicyFile
from memtend.model.unreadable import Unreadable
from memtend.policies import dump_policies, load_policies

_SWARM_MARKS: Final = {
    "memory_structure": SCHEMA,
    "consistency_rules": SCHEMA,
    "memory_persistence": CONFIG,
    "agent_memory_limits": CONFIG,
    "retention_policies": CONFIG,
}
_COMMENT_CHARS: Final = 96
_AML_CONFIG: Final = ("config.json", "memory/config.json", ".loom/memory/config.json")
_NO_RULES: Final = {
    claude_flow.KIND: "claude-flow keeps a TTL in each row and none besides: deadlines come along "
    "when the rows are imported, and rows without one are permanent until a rule says otherwise",
}


class Translation(NamedTuple):
    """A policy file and what has to be said about it."""

    kind: str
    source: str
    file: PolicyFile
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """The file as YAML; the notes are comments on top of it."""
        notes = [
            f"The retention of {self.source} ({self.kind}), translated by `memtend policies from`.",
            "Read it, then: memtend policies check FILE, memtend policies set FILE",
            *(f"- {note}" for note in self.notes),
        ]
        comments = "".join(f"# {line}\n" for note in notes for line in _lines(note))
        return f"{comments}\n{dump_policies(self.file)}"


def translate(root: Path, kind: str | None = None) -> Translation:
    """The retention at `root`, a folder or one file of configuration.

    Raises `SourceUnknown` where none is, `InvalidPolicy` for one that cannot be read.
    """
    if kind is not None and kind not in KINDS:
        why = f"{kind!r} is not one of the kinds {', '.join(KINDS)}"
        raise SourceUnknown(source=str(root), why=why)
    found = kind or _kind_of(root)
    if found == legacy_lifecycle.KIND:
        path = root if root.is_file() else root / legacy_lifecycle.POLICIES
        file = load_policies(path)
        notes = (*file.notes, *differences(file.policies))
        return Translation(found, str(root), file.model_copy(update={"notes": ()}), notes)
    if found == swarm.KIND:
        file, notes = from_swarm(_trees(root))
        return Translation(found, str(root), file, notes)
    return Translation(found, str(root), PolicyFile(), tuple(_without_rules(found, root)))


def _kind_of(root: Path) -> str:
    if root.is_file() and root.suffix in (".yaml", ".yml"):
        return legacy_lifecycle.KIND
    if root.is_file() and root.suffix == ".json":
        if _SWARM_MARKS.keys() & _json(root).keys():
            return swarm.KIND
        if root.name == "config.json":
            return "aml"
        raise SourceUnknown(source=str(root), why="it has no key of a known configuration")
    kinds = {
        legacy_lifecycle.KIND: (root / legacy_lifecycle.POLICIES).is_file(),
        swarm.KIND: bool(_swarm_files(root)),
        "aml": any((root / name).is_file() for name in _AML_CONFIG),
    }
    found = [kind for kind, there in kinds.items() if there]
    if len(found) > 1:
        raise SourceUnknown(source=str(root), why=f"it holds more than one: {', '.join(found)}")
    return found[0] if found else detect_source(root)


def _swarm_files(root: Path) -> list[Path]:
    if root.is_file():
        return [root] if root.suffix == ".json" else _swarm_files(root.parent)
    places = (folder / name for folder in (root / ".swarm", root) for name in (SCHEMA, CONFIG))
    found: dict[str, Path] = {}
    for path in places:
        if path.is_file():
            found.setdefault(path.name, path)
    return list(found.values())


def _trees(root: Path) -> dict[str, Tree]:
    """The swarm's configuration by what each file is, whatever it is called."""
    trees: dict[str, Tree] = {}
    for path in _swarm_files(root):
        given = _json(path)
        marks = {_SWARM_MARKS[key] for key in _SWARM_MARKS.keys() & given.keys()} or {path.name}
        for mark in sorted(marks):
            trees[mark] = Tree(given, str(path))
    if not trees:
        raise SourceUnknown(source=str(root), why=f"neither {SCHEMA} nor {CONFIG} is in it")
    return trees


def _without_rules(kind: str, root: Path) -> list[str]:
    """What to say of a kind that keeps no rules."""
    notes = [_NO_RULES.get(kind, f"{kind} keeps no retention of its own: nothing is translated")]
    names = (root / name for name in _AML_CONFIG) if root.is_dir() else iter((root,))
    for path in names if kind == "aml" else ():
        if path.is_file() and path.suffix == ".json":
            keys = Tree(_json(path), str(path)).rest()
            shown = ", ".join(keys[:IMPORT_TOLD_MAX]) or "nothing"
            notes.append(f"{path.name} says {shown}: none of it has a known equivalent")
    return notes


def _json(path: Path) -> dict[str, Any]:
    """An object out of a small file; raises `InvalidPolicy`."""
    try:
        with opened(SourceFile(path, path.name)) as stream:
            data = stream.read(POLICY_BYTES_MAX + 1)
        if len(data) > POLICY_BYTES_MAX:
            raise Unreadable(f"it is longer than {POLICY_BYTES_MAX:,} bytes")
        value = parse(data).value
        refuse_doubled_keys(value)
        if not isinstance(value, dict):
            raise Unreadable("it is no JSON object")
    except Unreadable as error:
        raise InvalidPolicy(source=str(path), where="the file", why=str(error)) from None
    return value


def _lines(text: str) -> list[str]:
    """Lines of a comment, and of nothing else, whatever a stranger wrote into it."""
    plain = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    indent = "  " if plain.startswith("- ") else ""
    return wrap(plain, _COMMENT_CHARS, subsequent_indent=indent, break_on_hyphens=False)
