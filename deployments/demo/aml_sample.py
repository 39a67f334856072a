"""AML items of four schema versions, old ones in the old form, as a tree that grew has them."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import md5
from typing import Any

Item = dict[str, Any]
DAY = 86_400.0
_VERSIONS = ((120, "1.0.0"), (80, "1.1.0"), (40, "1.2.0"), (0, "2.0.0"))
_AGENTS = 4


def aml_files(texts: dict[str, Any], now: float) -> dict[str, Any]:
    """File contents by their path below the memory folder."""
    files: dict[str, Any] = {}
    for number, agent in enumerate(texts["agents"][:_AGENTS]):
        name = agent["name"]
        for kind, build in (
            ("patterns", _pattern),
            ("solutions", _solution),
            ("decisions", _decision),
        ):
            rows = [_filled(row, agent) for row in texts[kind]]
            files[f"{name}/{kind}.json"] = [
                _versioned(kind, build(row, texts, number, n), name, number, n, now)
                for n, row in enumerate(rows)
            ]
        files[f"{name}/context.json"] = {
            "agent": name,
            "timestamp": _stamp(now - (number + 1) * 3_600),
            "focus": texts["goals"][number],
            "service": agent["service"],
        }
    return files


def _filled(row: Any, agent: Item) -> Any:
    if isinstance(row, str):
        return row.replace("<service>", agent["service"]).replace("<agent>", agent["name"])
    return [_filled(part, agent) for part in row]


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _versioned(kind: str, body: Item, agent: str, number: int, n: int, now: float) -> Item:
    """The item in the schema of its age: the newer, the newer."""
    days = (number * 53 + n * 13) % 170
    at = now - (days + 0.5) * DAY
    version = next(name for oldest, name in _VERSIONS if days >= oldest)
    identity = md5(f"{agent}/{kind}/{n}".encode(), usedforsecurity=False).hexdigest()
    item: Item = {"id": identity, "agent": agent, "timestamp": _stamp(at), **body}
    if "evolution" in item:
        item["evolution"] |= {"created": _stamp(at - 3 * DAY), "lastUsed": _stamp(at + DAY / 4)}
    if version == "1.0.0":
        item.pop("tags", None)
        return item
    item.setdefault("tags", [])
    if kind == "patterns":
        item["active"] = n % 6 != 5
    if version == "1.1.0":
        return item
    item["metadata"] = {"created_by": agent, "last_modified": _stamp(at), "version": version}
    if kind == "patterns":
        item["variations"] = []
    return _second(item) if version == "2.0.0" else item


def _second(item: Item) -> Item:
    item["version"] = "2.0.0"
    if "metrics" in item:
        old = item.pop("metrics")
        item["performance"] = {
            "success_rate": old["successRate"],
            "execution_count": old["executionCount"],
            "avg_time_saved_ms": old["avgTimeSavedMs"],
            "error_prevention_count": old["errorPreventionCount"],
        }
    if "evolution" in item:
        old = item.pop("evolution")
        item["lifecycle"] = {
            "created_at": old["created"],
            "last_used_at": old["lastUsed"],
            "refinement_count": old["refinements"],
            "confidence": old["confidenceScore"],
        }
    return item


def _pattern(row: list[Any], _texts: Item, number: int, n: int) -> Item:
    kind, technique, rationale, when, when_not, tags = row
    rate = round(0.22 + 0.75 * ((n * 5 + number * 3) % 14) / 14, 2)
    item: Item = {
        "pattern": {
            "type": kind,
            "context": {
                "service_count": 3 + number,
                "language": "typescript" if n % 3 else "python",
            },
            "approach": {"technique": technique, "rationale": rationale},
            "conditions": {"whenApplicable": when, "whenNotApplicable": when_not},
        },
        "evolution": {"refinements": n % 5, "confidenceScore": round(rate * 0.9 + 0.05, 2)},
        "tags": tags,
    }
    if (n + number) % 7 != 6:  # some were never measured: unknown, not zero
        item["metrics"] = {
            "successRate": rate,
            "executionCount": (n * 11 + number * 17) % 60,
            "avgTimeSavedMs": 400 * (n + 1),
            "errorPreventionCount": n % 4,
        }
    return item


def _solution(row: list[Any], _texts: Item, number: int, n: int) -> Item:
    error, message, cause, fix, prevention = row
    return {
        "problem": {"errorType": error, "errorMessage": message, "context": {"seen": n + 1}},
        "solution": {"rootCause": cause, "fixApproach": fix, "prevention": prevention},
        "effectiveness": {
            "worked": (n + number) % 5 != 4,
            "timeToFixMinutes": 10 + (n * 23 + number * 7) % 170,
            "preventedRecurrence": n % 3,
            "relatedErrorsFixed": n % 2,
        },
    }


def _decision(row: list[Any], texts: Item, number: int, n: int) -> Item:
    kind, question, chosen, others, primary, secondary = row
    lesson = texts["lessons"][(n + number) % len(texts["lessons"])]
    good = (n + number) % 4 != 3
    item: Item = {
        "decision": {
            "type": kind,
            "question": question,
            "context": {"team": 6},
            "chosenOption": chosen,
            "alternativesConsidered": others,
            "decisionFactors": {"primary": primary, "secondary": secondary},
        }
    }
    if n % 3 == 0:
        item["outcome"] = {"success_metrics": {"stability": 0.9 if good else 0.4}}
        item["outcome"] |= {"would_repeat": good, "lessons_learned": [lesson]}
    elif n % 3 == 1:
        metrics = {"developmentSpeed": 0.7, "maintainability": 0.8 if good else 0.3}
        item["outcome"] = {"successMetrics": metrics, "lessonsLearned": [lesson]}
        item["outcome"]["wouldRepeat"] = good
    return item


_BUILDERS = {"patterns": _pattern, "solutions": _solution, "decisions": _decision}
