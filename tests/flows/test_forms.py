"""The forms of the deployments, from their schemas: short, labelled, explained, and strict.

What a person sees of them in the browser is tested in `tests/ui`. The checks of bad values are
those that the server makes, and the UI shows, before there is a run.
"""

from __future__ import annotations

from typing import Any

import pytest
from prefect.utilities.schema_tools.validation import is_valid, validate

from memtend_flows.labels import label_of
from memtend_flows.parameters import Keep
from memtend_flows.schedules import SERVED

FIELDS_MAX = 10
HELP_CHARS_MAX = 220
MARKUP = ("`", "](", "\n\n")
FLOWS = {served.flow.name: served.flow for served in SERVED}
SCHEMAS: dict[str, dict[str, Any]] = {
    name: flow.parameters.model_dump() for name, flow in FLOWS.items()
}
BAD: tuple[tuple[str, str, object], ...] = (
    ("sweep", "store", "postgresql://ada:pa55@db/memory"),
    ("sweep", "store", ""),
    ("sweep", "dry_run", "no"),
    ("backup", "target", "s3://bucket/backups?secret=1"),
    ("backup", "why", "x" * 257),
    ("verify_backups", "depth", "closely"),
    ("verify_backups", "sample_percent", 0),
    ("verify_backups", "sample_percent", 101),
    ("verify_backups", "max_minutes", -1),
    ("verify_backups", "max_minutes", 1_441),
    ("rotate", "keep", {"daily": -1}),
    ("rotate", "keep", {"hourly": 3}),
    ("restore", "mode", "somehow"),
    ("restore", "agent", "x" * 513),
    ("recall", "run", -1),
    ("recall", "records", ""),
    ("prune", "strategy", "worth"),
    ("prune", "reviewed", "the one of yesterday"),
    ("optimize", "step", "everything"),
    ("ingest", "source", "https://example.org/memory"),
    ("ingest", "kind", "aml2"),
    ("export", "format", "csv"),
    ("learn", "scenario", "Not A Name"),
    ("learn", "promote", "perhaps"),
    ("learn", "seed", -2),
    ("record_outcomes", "outcomes", [{"task_type": "deploy", "result": "fine"}]),
)


def resolved(schema: dict[str, Any], field: dict[str, Any]) -> dict[str, Any]:
    """As the UI puts a field together: what stands beside a reference overrules its target."""
    target = schema["definitions"][field["$ref"].rpartition("/")[2]] if "$ref" in field else {}
    return {**target, **field}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_form_is_short_and_every_field_has_label_help_and_default(name: str) -> None:
    """Help is plain text: the UI would show marks of Markdown as they are."""
    schema = SCHEMAS[name]
    assert len(schema["properties"]) <= FIELDS_MAX
    assert not schema.get("required")
    for parameter, field in schema["properties"].items():
        shown = resolved(schema, field)
        assert shown["title"][0].isupper(), parameter
        assert "_" not in shown["title"]
        assert "default" in shown
        assert shown["description"].endswith(".")
        assert len(shown["description"]) <= HELP_CHARS_MAX
        assert not [mark for mark in MARKUP if mark in shown["description"]]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_has_bounds(name: str) -> None:
    """Numbers from and to, texts with a pattern or a length, choices as choices."""
    schema = SCHEMAS[name]
    for parameter, field in schema["properties"].items():
        shown = resolved(schema, field)
        match shown.get("type"):
            case "integer" | "number":
                least = {"minimum", "exclusiveMinimum"} & set(shown)
                assert least, parameter
                assert "maximum" in shown, parameter
            case "string":
                assert {"enum", "pattern", "maxLength"} & set(shown), parameter
            case "array":
                assert "maxItems" in shown, parameter


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_a_form_shows_first_is_valid(name: str) -> None:
    schema = SCHEMAS[name]
    defaults = {key: field["default"] for key, field in schema["properties"].items()}
    assert validate(defaults, schema, allow_none_with_default=True) == []


@pytest.mark.parametrize(("name", "parameter", "value"), BAD)
def test_a_bad_value_is_refused_before_there_is_a_run(
    name: str, parameter: str, value: object
) -> None:
    assert not is_valid({parameter: value}, SCHEMAS[name])


def test_names_of_parameters_become_labels() -> None:
    assert label_of("dry_run") == "Dry run"
    assert label_of("reviewed") == "Reviewed plan"
    titles = [field["title"] for field in Keep.model_json_schema()["properties"].values()]
    assert titles == ["Within hours", "Daily", "Weekly", "Monthly", "Yearly", "Max age days"]
