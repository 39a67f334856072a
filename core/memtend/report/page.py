"""The page: one HTML file that needs no network and no script.

Every text in it goes through Jinja's escaping; only the charts, which `drawing` has rebuilt, are
put in as markup. A content security policy forbids scripts besides, for the day on which somebody
makes a mistake here. Values of records are not in it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from memtend.clock import to_ms
from memtend.limits_upkeep import REPORT_ROWS_SHOWN, REPORT_TEXT_CHARS_MAX
from memtend.report.chart import counted, tabled
from memtend.report.expiring import expiring
from memtend.report.growth import growth
from memtend.report.learned import models, strategy_cards, trials, ttl_cards
from memtend.report.palette import variables
from memtend.report.past import backups, scores, upkeep
from memtend.report.texts import clean, count, share, size, span, when
from memtend.report.tiering import tiering
from memtend.report.treemap import treemap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Template

    from memtend.report.facts import ReportFacts, Sized

TITLES: Final = {
    "health": "Health and what to do",
    "alerts": "Alerts",
    "chances": "Opportunities",
    "growth": "Growth and forecast",
    "expiry": "What ends when",
    "kinds": "Sizes by agent and kind",
    "tiers": "Tiers and compression",
    "agents": "The largest agents",
    "namespaces": "The largest namespaces",
    "upkeep": "Pruned and archived",
    "backups": "Backups and drills",
    "regret": "Regret",
    "scores": "Health over time",
    "speed": "Speed",
    "learned": "What was learned",
    "keeping": "How long to keep what",
}

MARK: Final = '<!doctype html>\n<html lang="en" data-made-by="memtend">'
"""How every page begins: what does not is none, and not replaced by one."""


_NEEDS: Final = {
    "alerts": "alerts", "growth": "histories", "scores": "histories", "speed": "speeds",
    "expiry": "expiry", "upkeep": "prunes archive", "regret": "prunes", "backups": "backups",
    "learned": "learned", "keeping": "learned",
}  # fmt: skip
"""What a section is made of: where that could not be read it is not said that there is none."""


def render(given: ReportFacts) -> str:
    """The whole page as text."""
    from markupsafe import Markup  # noqa: PLC0415

    facts: ReportFacts = _printable(given)
    charts = {
        "growth": growth(facts), "expiry": expiring(facts), "treemap": treemap(facts),
        "tiers": tiering(facts), "upkeep": upkeep(facts), "backups": backups(facts),
        "scores": scores(facts),
    }  # fmt: skip
    drawn = {
        name: one._replace(svg=Markup(one.svg)) if one else None  # noqa: S704 — see `drawing`
        for name, one in charts.items()
    }
    cards = {"pictures": strategy_cards(facts), "ttl_pictures": ttl_cards(facts)}
    learned = {
        name: [
            one._replace(chart=one.chart._replace(svg=Markup(one.chart.svg)))  # noqa: S704
            for one in some
        ]
        for name, some in cards.items()
    }
    return _template().render(**_texts(facts), **_lists(facts), **drawn, **learned)


def _printable(value: Any) -> Any:
    """The same facts, each text in them cleaned: whatever is added later is so, too."""
    if isinstance(value, str):
        return clean(value, REPORT_TEXT_CHARS_MAX)
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: _printable(part) for name, part in value})
    if isinstance(value, tuple):
        parts = map(_printable, value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("memtend.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("page.html")


def _texts(facts: ReportFacts) -> dict[str, Any]:
    from markupsafe import Markup  # noqa: PLC0415

    lost = sum(one.penalty for one in facts.checks)
    bad = sum(one.level != "ok" for one in facts.checks)
    said = f"{counted(len(facts.checks), 'check')} found nothing wrong."
    if bad:
        said = f"{count(bad)} of {count(len(facts.checks))} checks complain"
        said += (
            f" and take {min(lost, 100)} off the score of 100." if facts.score is not None else "."
        )
    return {
        "url": clean(facts.url),
        "at": when(to_ms(facts.at)),
        "made": when(to_ms(facts.made_at)),
        "program": facts.program,
        "light": Markup(variables(dark=False)),  # noqa: S704 — constants
        "dark": Markup(variables(dark=True)),  # noqa: S704
        "titles": TITLES,
        "contents": list(TITLES.items()),
        "tiles": _tiles(facts),
        "health_said": said,
        "sick": bad > 0,
        "unread": facts.unread,
        "unknown": _unknown(facts),
    }


def _unknown(facts: ReportFacts) -> set[str]:
    """The sections that are empty because something could not be read."""
    unread = {one.part for one in facts.unread}
    return {section for section, parts in _NEEDS.items() if unread.intersection(parts.split())}


def _tiles(facts: ReportFacts) -> list[dict[str, str]]:
    """The figures that come first."""
    newest = max((one.at_ms for one in facts.backups), default=None)
    unknown = _unknown(facts)
    age = span(to_ms(facts.at) - newest) if newest is not None else "none"
    age = "unknown" if "backups" in unknown else age
    alerts = "unknown" if "alerts" in unknown else count(len(facts.alarms))
    score = "unknown" if facts.score is None else f"{facts.score} of 100"
    quota = f"{share(facts.bytes, facts.quota_bytes)} of {size(facts.quota_bytes)}"
    rows = (
        ("score", score, "", facts.level or ""),
        (
            "records",
            count(facts.records),
            f"{count(facts.changes)} changes since the beginning",
            "",
        ),
        ("content", size(facts.bytes), quota, ""),
        ("file", size(facts.file_bytes), "on disk", ""),
        ("alerts", alerts, "standing", ""),
        ("newest backup", age, "old" if newest is not None else "in the catalog", ""),
    )
    return [dict(zip(("name", "value", "more", "level"), row, strict=True)) for row in rows]


def _lists(facts: ReportFacts) -> dict[str, Any]:
    found: dict[str, Any] = {
        "checks": [
            one._replace(fact=_coded(one.fact), hint=_coded(one.hint)) for one in facts.checks
        ],
        "alarms": [
            {
                **one._asdict(), "scope": clean(one.scope), "rule": clean(one.rule),
                "fact": _coded(one.fact), "hint": _coded(one.hint), "since": when(one.since_ms),
            }
            for one in facts.alarms[:REPORT_ROWS_SHOWN]
        ],
        "alarms_more": max(0, len(facts.alarms) - REPORT_ROWS_SHOWN),
        "chances": [
            {"name": one.name, "fact": _coded(one.fact), "command": one.command,
             "saves": _saves(one.saves_bytes, one.saves_ms)}
            for one in facts.chances
        ],
        "speeds": tabled(
            ("operation", "tier", "times", "p50", "p95", "p99"),
            [
                (one.op, one.tier, count(one.operations), f"{one.p50:.2f}", f"{one.p95:.2f}",
                 f"{one.p99:.2f}")
                for one in facts.speeds
            ],
            (2, 3, 4, 5),
        ) if facts.speeds else None,
        "regrets": tabled(
            ("rule", "namespace", "pruned", "missed", "reads", "share"),
            [
                (clean(one.rule), clean(one.namespace), count(one.pruned), count(one.missed),
                 count(one.reads), share(one.missed, one.pruned))
                for one in sorted(facts.regrets, key=lambda one: (-one.missed, -one.pruned))
            ],
            (2, 3, 4, 5), REPORT_ROWS_SHOWN,
        ) if facts.regrets else None,
        "insights": tabled(
            ("what", "how sure"), [(_coded(one.fact), _coded(one.sure)) for one in facts.insights]
        ) if facts.insights else None,
        "models": models(facts),
        "trials": trials(facts),
        "outcomes": counted(facts.outcomes, "outcome"),
        "accesses": f"{count(facts.accesses)} sampled access{'' if facts.accesses == 1 else 'es'}",
    }  # fmt: skip
    for name, rows in (("agents", facts.agents), ("namespaces", facts.namespaces)):
        found[name], found[f"{name}_more"] = _largest(rows)
    return found


def _largest(rows: Sequence[Sized]) -> tuple[list[dict[str, str]], int]:
    ordered = sorted(rows, key=lambda one: -one.bytes)
    most = max((one.bytes for one in rows), default=0) or 1
    shown = [
        {
            "name": clean(one.name), "records": count(one.records), "size": size(one.bytes),
            "percent": f"{100 * max(0, one.bytes) / most:.1f}",
        }
        for one in ordered[:REPORT_ROWS_SHOWN]
    ]  # fmt: skip
    return shown, max(0, len(ordered) - REPORT_ROWS_SHOWN)


def _saves(saves_bytes: int | None, saves_ms: float | None) -> str:
    parts = [size(saves_bytes)] if saves_bytes is not None else []
    if saves_ms is not None:
        parts.append(f"{saves_ms / 1_000:,.1f} s a day")
    return ", ".join(parts) or "not known"


def _coded(given: str) -> str:
    """A hint, with what it puts between backticks as code."""
    from markupsafe import Markup, escape  # noqa: PLC0415

    parts = given.split("`")
    if len(parts) % 2 == 0:  # one has no other
        return escape("`".join(parts))
    shown = (
        Markup("<code>{}</code>").format(part) if n % 2 else escape(part)
        for n, part in enumerate(parts)
    )
    return Markup("").join(shown)
