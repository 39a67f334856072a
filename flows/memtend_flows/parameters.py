"""The parameters that an operator sees in a form.

Keep this module, and each flow's, free of `from __future__ import annotations`: Prefect builds
the forms from resolved annotations. The pattern is part of the schema, so that the server
refuses an address with credentials before a run exists. Descriptions are the `Args` of a flow's
docstring: Prefect takes them from nowhere else.
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from memtend.limits import LABEL_CHARS_MAX as WHY_CHARS_MAX
from memtend_tasks.address import PLAIN_PATTERN, check_plain

ADDRESSES = ("store", "target")
"""Parameters that hold an address; `memory_flow` refuses credentials in them."""

Store = Annotated[
    str, AfterValidator(check_plain), Field(json_schema_extra={"pattern": PLAIN_PATTERN})
]
Target = Annotated[
    str,
    AfterValidator(lambda text: check_plain(text, "target")),
    Field(json_schema_extra={"pattern": PLAIN_PATTERN}),
]
Why = Annotated[str, Field(max_length=WHY_CHARS_MAX)]
