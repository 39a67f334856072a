"""`docs/benchmarks.md` from `benchmarks.json`: pure text from figures, no figure of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tests.benchmarks.harness import Row
from tests.benchmarks.reasons import reason
from tests.benchmarks.results import Measured, Results

TITLES = {
    "store": "One process on SQLite",
    "growth": "What must not grow with the store",
    "sweep": "Sweep",
    "long": "Long values",
    "writers": "Many writers",
    "slowdisk": "A disk that takes 2 ms to sync",
    "postgres": "PostgreSQL",
    "startup": "Starting",
    "backups": "Backups beside restic and Borg",
    "increments": "Increments of stores of all sizes",
    "archive": "The archive",
    "sync": "Sync",
    "imports": "Importing",
    "migrations": "Migrating",
    "optimize": "Optimizing and searching",
    "flows": "What Prefect costs",
    "learning_selection": "Selecting strategies, all costs known",
    "learning_bandit": "Selecting strategies from logs of what was tried",
    "learning_ttl": "How long to keep what",
}
SMALL = 0.001
HEAD = """\
# Benchmarks

Written by `make bench` from `benchmarks.json`; do not edit. A ratio is memtend's figure divided by
the other's, taken in the same round; what stands first is the median over the rounds, and in
brackets are the smallest and the largest. For times less is better, for rates (…/s) more is.
"""
METHOD = """\
## Method
- **Same run, interleaved.** Every side does the same operations on the same keys in short rounds,
  A B C A B C, and the side that begins changes from round to round. A ratio is formed within a
  round; the median of these ratios is what is published. Figures of different runs are not
  compared: rows of different sizes may come from different runs. Absolute figures are only there to
  show the order of magnitude.
- **Same promise.** "Durable" means that both sides return after an fsync: raw SQLite with
  `synchronous=FULL` in WAL mode, memtend with `durability="full"`; "normal" is `NORMAL` against
  `"normal"`. diskcache runs as shipped, which is `NORMAL`. PostgreSQL runs with `fsync=on` and
  `synchronous_commit=on`.
- **The disk decides durable puts.** What an fsync of 4 KiB took before the run stands above; what
  it took during a row shows in raw's own time: tens of microseconds on a quiet fast disk,
  milliseconds when others sync too. The longer it takes, the closer single durable puts come to 1
  and the more group commit saves, so a target met on a busy disk says little about a quiet one.
  Rows in durability `normal` show the work itself.
- **Same values.** 512 to 1,000 bytes of JSON through orjson on every side that lets one choose,
  below the compression threshold; ten namespaces; a tenth of the records carries a tag.
- **Raw is raw.** One table, one unique index, constant statements, autocommit, a page cache of
  16 MiB as ours. It keeps no history, totals, hashes or audit. "Keeping the same books" is raw
  SQLite that reads what it replaces, numbers the change, counts, and adds an audit line, written by
  hand for this one purpose: it shows which part of a put's price is the work and which is memtend.
- **Answers are checked**, outside the measured time: every value read, every write read back, every
  acknowledged write of concurrent writers counted.
- **Cache state.** Everything is warm: the files are in the operating system's cache, statements are
  prepared, the first round does not count. Garbage collection rests while a round is measured.
- **Left out:** opening a store (see "Starting"), cold disks, networks between client and server,
  more than one machine, and what peers cannot do (hash check, TTL policy, audit). Writes of access
  counts, which memtend buffers, happen outside most measured rounds.
- **Closed gaps** of selecting strategies: 0 is the single best strategy, 1 the best one of each
  context. What stands as their ratio is ours less the guarded forest's, with a bootstrapped 90 %
  interval over contexts, both in the same folds.
- **Starting** is CPU time of child processes (user and system), less that of a bare interpreter in
  the same round.
"""
COLUMNS = "| operation | records | memtend | against | theirs | ratio | target | |"
RULE = "|---|--:|--:|---|--:|--:|--:|---|"


def page(results: Results) -> str:
    """The whole page."""
    parts = [HEAD, _machine(results)]
    modules = dict.fromkeys([*TITLES, *(one.module for one in results.rows)])
    for module in modules:
        rows = [one.row for one in results.rows if one.module == module]
        if rows:
            table = "\n".join([COLUMNS, RULE, *map(_line, sorted(rows, key=_order(rows)))])
            parts.append(f"## {TITLES.get(module, module.capitalize())}\n{table}\n")
    parts += [_missed(results.rows), METHOD]
    return "\n".join(parts)


def _machine(results: Results) -> str:
    facts = "; ".join(f"{name} {value}" for name, value in results.machine.items())
    days = sorted({one.day for one in results.rows})
    when = " to ".join(dict.fromkeys([days[0], days[-1]])) if days else "never"
    return f"Measured {when} on: {facts}.\n"


def _order(rows: list[Row]) -> Callable[[Row], tuple[int, int]]:
    """Operations as they were first measured, each from small to large."""
    first = list(dict.fromkeys(row.name for row in rows))
    return lambda row: (first.index(row.name), row.size)


def _line(row: Row) -> str:
    verdict = {True: "met", False: "**missed**", None: ""}[row.met]
    span = f"{_number(row.ratio)} ({_number(row.low)} to {_number(row.high)})"
    ours, theirs = f"{_number(row.ours)} {row.unit}", f"{_number(row.baseline)} {row.unit}"
    size = f"{row.size:,}" if row.size else ""
    cells = (row.name, size, ours, row.against, theirs, span, _target(row), verdict)
    return f"| {' | '.join(cells)} |"


def _target(row: Row) -> str:
    if row.target is None:
        return ""
    sign = "≤" if row.better == "lower" else "≥"
    unit = "x" if row.judged == "ratio" else row.unit
    return f"{sign} {_number(row.target)} {unit}"


def _missed(rows: Iterable[Measured]) -> str:
    """Each operation whose target is missed once, with its worst figure and the reason."""
    lines = list(_missed_lines([one.row for one in rows]))
    body = "\n".join(lines) or "None."
    return f"## Missed targets\n{body}\n"


def _missed_lines(rows: list[Row]) -> Iterator[str]:
    missed = sorted((row for row in rows if row.met is False), key=_order(rows))
    for name, against in dict.fromkeys((row.name, row.against) for row in missed):
        same = [row for row in missed if (row.name, row.against) == (name, against)]
        figures = ", ".join(_figure(row) for row in same)
        yield f"- **{name}**, against {against}: {figures}; target {_target(same[0])}. " + (
            reason(name, against)
        )


def _figure(row: Row) -> str:
    value = (
        f"{_number(row.ratio)} x" if row.judged == "ratio" else f"{_number(row.ours)} {row.unit}"
    )
    return f"{value} at {row.size:,}" if row.size else value


def _number(value: float) -> str:
    """Three significant digits, with commas."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= SMALL else f"under {SMALL}"
