"""What the fields of a form are called: `Dry run` for `dry_run`.

Prefect labels a field with the bare name of its parameter, and only what is in the JSON schema of
an annotation can say otherwise. Runs, the command line and the API go on speaking of `dry_run`.
Whoever adds a parameter has a label by itself.
"""

import inspect
from collections.abc import Callable
from typing import Annotated, ParamSpec, TypeVar

from pydantic import Field

P = ParamSpec("P")
R = TypeVar("R")

_SAID = {
    "ask": "Ask before much goes",
    "dest": "Destination",
    "records": "Which records",
    "reviewed": "Reviewed plan",
    "run": "Archive run",
    "tune_ttl": "Tune times to live",
    "why": "Note",
    "zone": "Time zone",
}


def label_of(name: str) -> str:
    """What a person reads above the field of a parameter.

    >>> label_of("dry_run"), label_of("max_minutes"), label_of("why")
    ('Dry run', 'Max minutes', 'Note')
    """
    return _SAID.get(name, name.replace("_", " ").capitalize())


def labelled(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, with labels in the schema of its parameters."""
    signature = inspect.signature(function, eval_str=True)
    fields = [
        field.replace(annotation=_with_label(name, field.annotation))
        for name, field in signature.parameters.items()
    ]
    vars(function)["__signature__"] = signature.replace(parameters=fields)
    return function


def _with_label(name: str, annotation: object) -> object:
    return Annotated[annotation, Field(json_schema_extra={"title": label_of(name)})]
