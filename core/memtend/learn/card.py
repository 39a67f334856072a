"""The card of a model, in Markdown: what it is for, what it was made of, how good it is, where not.

Names of strategies, fields, agents and task types were written by agents. They stand in code spans,
where Markdown gives nothing a meaning; in a sentence that quotes them the marks are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from memtend.learn.recommender import FittedRecommender

_TICKS: Final = re.compile("`+")
_MARKS: Final = re.compile(r"[\\`*_\[\]<>~|&#!$]")
_LINKS: Final = re.compile(r"://|www\.|@|mailto:|xmpp:", re.IGNORECASE)
_NAME_CHARS: Final = 120
_ROWS: Final = 40


def prose(text: str) -> str:
    """A sentence that may quote anything, shown letter by letter."""
    words = _visible(text).split(" ")
    return " ".join(
        code(word) if _LINKS.search(word) else _MARKS.sub(r"\\\g<0>", word) for word in words
    )


def code(text: str) -> str:
    """`text` on one line as code, whatever it holds; usable in a table."""
    seen = _visible(text[:_NAME_CHARS]).replace("|", "¦")
    line = f"{seen}…" if len(text) > _NAME_CHARS else seen
    if not line.strip():
        return "(empty)"
    fence = "`" * (1 + max(map(len, _TICKS.findall(line)), default=0))
    space = " " if "`" in (line[0], line[-1]) else ""
    return f"{fence}{space}{line}{space}{fence}"


def card_of(fitted: FittedRecommender) -> str:
    """The same fit, the same card."""
    facts, served, table = fitted.facts, fitted.served, fitted.table
    selector = served.selector
    kind = (
        f"{facts.situations:,} situations in which every strategy was tried"
        if facts.situations
        else "one followed strategy a task"
    )
    state = "asks the context" if served.adopted else "names the incumbent everywhere"
    objective = table.objective
    scale = table.scale
    parts = [
        "# Model card: which strategy works",
        _paragraph(
            f"Recommends one of {len(served.strategies)} coordination strategies for a task, with",
            "the probability of success and what it is expected to cost. It is advice for agents",
            "and people who may do otherwise; it decides nothing by itself.",
        ),
        "## Decision",
        _items(
            [
                f"This model **{state}**.",
                prose(served.why) + ".",
                f"Incumbent: {code(served.strategies[selector.incumbent])}.",
                *(
                    f"For tasks of type {code(task)} the incumbent is "
                    f"{code(served.strategies[at])}."
                    for task, at in served.incumbents.items()
                ),
                f"Explores in {served.explore:.1%} of recommendations, with the propensity told.",
            ]
        ),
        "## Data",
        _items(
            [
                f"{facts.outcomes:,} outcomes, from {_day(facts.first_ms)} to "
                f"{_day(facts.last_ms)}; {kind}.",
                f"Cost: {objective.failure:g} x (1 - success) + {objective.duration:g} x time + "
                f"{objective.price:g} x money; a unit of time is {_unit(scale.duration_s, ' s')}, "
                f"of money {_unit(scale.cost, '')}; five units at most.",
                *(f"Left out, {one.outcomes:,} outcomes: {one.why}." for one in table.left_out),
                *(f"Excluded writer {code(name)}: {n:,} outcomes." for name, n in table.excluded),
                *(f"Note: {note}." for note in table.notes),
                *(f"Suspect: {prose(one.fact)}." for one in facts.suspects),
            ]
        ),
        _table(
            ("strategy", "outcomes", "mean success"),
            ((code(name), f"{n:,}", f"{share:.3f}") for name, n, share in facts.by_strategy),
        ),
        _table(("task type", "outcomes"), ((code(name), f"{n:,}") for name, n in facts.by_task)),
        _table(("writer", "outcomes"), ((code(name), f"{n:,}") for name, n in facts.by_writer)),
        "## Figures",
        _items(map(prose, fitted.learned.figures)) or "None: nothing was learned beyond means.",
        _table(
            ("field", "costs get worse when it is shuffled", "90 % interval"),
            (
                (code(one.field), f"{one.share:+.2%}", f"{one.low:+.2%} to {one.high:+.2%}")
                for one in facts.influences
                if one.share > 0
            ),
        ),
        "## Features",
        _paragraph(f"{len(facts.features)} columns from the fields:")
        + "\n"
        + _items([", ".join(code(field.name) for field in served.encoder.fields) or "none"]),
        _items([f"not {code(one.name)}: {prose(one.why)}" for one in facts.dropped]),
        "## Limits",
        _items(
            [
                "It knows what was recorded. A cause that no context mentions stays hidden, and "
                "estimates from what others chose lean on the recorded propensities.",
                "History is that of the time of the fit. What comes later changes nothing until "
                "the model is fitted again.",
                "A task type that was never recorded gets the incumbent; a category that was never "
                "seen counts as another one.",
                "Intervals hold 90 % where tasks stay what they were; drift is looked for apart.",
                "The model holds names of fields, categories, agents and task types, and digests "
                "of outcome ids. An erasure takes along every model that names its subject.",
            ]
        ),
        "## Lineage",
        _items(
            [
                f"Seed {facts.seed}; the same outcomes and policy give the same bytes.",
                "`memtend learn models` shows parent, checksums and state; "
                "`memtend learn rollback` puts the former model back.",
            ]
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _visible(text: str) -> str:
    return "".join(
        c if c.isprintable() else " " if c.isspace() else f"\\u{ord(c):04x}" for c in text
    )


def _paragraph(*lines: str) -> str:
    return "\n".join(lines)


def _items(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line[:1].upper()}{line[1:]}" for line in lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    shown = list(rows)
    if not shown:
        return ""
    lines = [head, ["---"] * len(head), *shown[:_ROWS]]
    if len(shown) > _ROWS:
        lines.append([f"{len(shown) - _ROWS:,} more", *[""] * (len(head) - 1)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1_000, UTC):%Y-%m-%d %H:%M} UTC"


def _unit(value: float | None, unit: str) -> str:
    return "not recorded" if value is None else f"{value:,.4g}{unit}"
