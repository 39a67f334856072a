"""10 to 19: what a caller gave cannot be used as it is."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class InvalidName(MemtendError):
    """A namespace, key or field is not a path of plain segments."""

    code = 10
    message = "{what} {name!r} is not valid: {why}"
    hint = "Use up to 16 segments of letters, digits and ._:@=+- joined by '/', 512 bytes in all."


class InvalidValue(MemtendError):
    code = 11
    message = "the value of {name!r} cannot be stored: {why}"
    hint = "Store JSON: objects with text keys, lists, text, finite numbers, booleans, null."


class LimitExceeded(MemtendError):
    code = 12
    message = "{what} of {name!r} is {actual:,}; the limit is {limit:,}"
    hint = "Split the value, or store a reference to it."


class InvalidPolicy(MemtendError):
    code = 13
    message = "policy file {source}: {where}: {why}"
    hint = "Correct the line named; `memtend policies check FILE` tests a file without using it."


class QuotaExceeded(MemtendError):
    """The write would push an agent, a session or the store over its quota. Nothing was written."""

    code = 14
    message = "{scope} {name!r} would hold {would:,} bytes; its quota is {limit:,}"
    hint = "Delete or archive records (`memtend stats` shows the largest), or raise the quota."


class ConditionFailed(MemtendError):
    """A compare-and-set found other siblings than expected. Nothing was written."""

    code = 15
    message = "{namespace}/{key} has changed: expected {expected}, found {found}"
    hint = "Read the record again, apply your change to what you read, and try again."


class KindMismatch(MemtendError):
    code = 16
    message = "{namespace}/{key} holds a {found}; {wanted} was asked for"
    hint = "The policy of the namespace fixes the kind: see `memtend explain`."


class NotFound(MemtendError):
    code = 17
    message = "nothing is stored at {namespace}/{key}"
    hint = "`memtend explain` says whether it expired or was deleted, and why."


class AccessDenied(MemtendError):
    code = 18
    message = "{agent!r} may not {action} {namespace!r}"
    hint = "Ask the operator for a grant: `memtend grant AGENT PATTERN read|write|admin`."


class InvalidSettings(MemtendError):
    code = 19
    message = "setting {name}: {why}"
    hint = "Correct the environment variable or the option; `memtend --help` lists them."
