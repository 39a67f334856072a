"""`memtend learn …`: what each command prints and leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.fixtures.cli import Cli

LINE = {"task_type": "build", "result": "success", "strategy": "solo", "propensity": 0.5}


def lines(*told: dict[str, Any]) -> str:
    return "".join(json.dumps({**LINE, **one}) + "\n" for one in told)


def test_one_outcome_is_recorded_and_counted(cli: Cli) -> None:
    done = cli(
        "learn", "record", "build", "success", "--strategy", "solo", "--propensity", "0.5",
        "--context", '{"files": 3}', "--duration", "12.5", "--agent", "ada", "--json",
    )  # fmt: skip
    [outcome] = done.json["outcomes"]
    stored = cli("get", "neural/outcomes", outcome, "--json").json
    assert (stored["strategy"], stored["context"]) == ("solo", {"files": 3})
    assert (stored["recorded_by"], stored["duration_s"]) == ("ada", 12.5)
    advice = cli("learn", "recommend", "build", '{"files": 3}', "--json").json
    assert (advice["learned"], advice["outcomes"]) == (False, 1)
    assert "nothing is learned yet here" in cli("learn", "recommend", "build").out


def test_a_file_is_recorded_whole_or_not_at_all(cli: Cli) -> None:
    told = lines(
        {"agent": "ada", "at": "2025-06-01T12:00:00+00:00", "outcome_id": "o1"},
        {"agent": "ben", "swarm": "other", "outcome_type": "timeout", "result": None},
    )
    assert "2 outcomes recorded" in cli("learn", "record", "--file", "-", stdin=told).told
    assert cli("get", "neural/outcomes", "o1", "--json").json["recorded_by"] == "ada"
    for wrong, why in (
        ({"result": "fine"}, "line 2' cannot be stored: result: 'fine' is not one of"),
        ({"results": 1}, "line 2' cannot be stored: results: an outcome has no such field"),
        ({"result": None}, "line 2' cannot be stored: result: it is missing"),
        ({"propensity": 0}, "line 2' cannot be stored: outcome propensity: "),
        ({"context": [1]}, "line 2' cannot be stored: context: it is no JSON object"),
        ({"agents": "ada"}, "line 2' cannot be stored: agents: it is no list of names"),
        (
            {"context": {"files": 2**70}},
            "line 2' cannot be stored: it: Integer exceeds 64-bit range",
        ),
        ({"at": "noon"}, "line 2' cannot be stored: at: 'noon' is no time in ISO form"),
        (
            {"at": "2025-06-01"},
            "line 2' cannot be stored: at: 2025-06-01T00:00:00 has no time zone",
        ),
        ({"at": "2999-01-01T00:00+00:00"}, "line 2' cannot be stored: at: 2999"),
    ):
        refused = cli("learn", "record", "--file", "-", stdin=lines({}, wrong))
        assert refused.status == 11
        assert why in refused.told.replace("\n", " ")
    broken = cli("learn", "record", "--file", "-", stdin=lines({}) + "{")
    assert "line 2' cannot be stored: it is no JSON" in broken.told
    assert cli("learn", "scenarios", "--json").json[0]["outcomes"] == 2


def test_arguments_or_a_file(cli: Cli) -> None:
    for arguments in ((), ("build",), ("build", "success", "--file", "-")):
        refused = cli("learn", "record", *arguments, stdin="")
        assert refused.status == 2
        assert "TASK_TYPE and RESULT, or --file" in refused.told


def test_from_outcomes_to_a_model_in_use_and_back(cli: Cli) -> None:
    told = [{"strategy": name, "context": {"files": n}} for n in range(20) for name in ("a", "b")]
    cli("learn", "record", "--file", "-", stdin=lines(*told))
    fitted = cli("learn", "fit", "--promote", "--json").json
    model = fitted["model"]["model_id"]
    assert (fitted["adopted"], fitted["model"]["status"]) == (False, "candidate")
    assert "nothing is new" in cli("learn", "fit", "--if-news").told
    alone = cli("learn", "fit", "--exclude-writer", "operator")
    assert (alone.status, "writers of all" in alone.told) == (119, True)
    assert "nobody has recorded none" in cli("learn", "fit", "--exclude-writer", "nobody").told
    assert "the context is no JSON" in cli("learn", "recommend", "build", '{"files":').told
    assert model[:12] in cli("learn", "models").out
    assert "# Model card" in cli("learn", "models", model[:6]).out
    refused = cli("learn", "promote", model[:6])
    assert refused.status == 124
    assert "the gate has not let it pass" in refused.told
    assert "is in use for default" in cli("learn", "promote", model[:6], "--force", "try").told
    advice = cli("learn", "recommend", "build", '{"files": 3}')
    assert model in advice.out
    assert "propensity" in advice.out
    assert cli("learn", "evaluate", "--json").json["model"] == model
    assert "forced: try" in cli("audit", "show", "--json").out
    assert "no model is in use for default any more" in cli("learn", "rollback").told
    assert cli("learn", "rollback").status == 124


def test_what_cannot_be_is_said(cli: Cli) -> None:
    assert "no model was fitted yet" in cli("learn", "models").told
    assert cli("learn", "evaluate").status == 123
    assert cli("learn", "fit").status == 119
    assert cli("learn", "fit", "--scenario", "task-x").status == 121
    assert "nothing beyond chance" in cli("learn", "insights").told
    refused = cli("learn", "recommend", "build", "[1]")
    assert refused.status == 2
    assert "the context is no JSON object" in refused.told
    assert cli("learn", "record", "--file", Path("nowhere.jsonl")).status != 0


def test_a_name_makes_no_line_of_its_own(cli: Cli) -> None:
    name = "a\n- ben reports success 99 points more often\x1b[31m"
    cli("learn", "record", "--file", "-", stdin=lines({"task_type": name}, {"task_type": name}))
    shown = cli("learn", "scenarios").out
    assert "\\n- ben" in shown
    assert "\x1b" not in shown
