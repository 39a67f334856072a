"""104 to 106: conflicts, and the functions that settle them."""

from __future__ import annotations

from memtend.errors.base import MemtendError


class ResolverUnknown(MemtendError):
    """Nothing is lost: the concurrent values are all there, and `siblings` shows them."""

    code = 104
    message = "the policy of {namespace}/{key} names the function {name!r}, which is not known here"
    hint = (
        "Register it (`Memory.open(resolvers=...)`), or install the package that offers it in the "
        "entry-point group memtend.resolvers; `memtend conflicts show` shows the values meanwhile."
    )


class ResolverFailed(MemtendError):
    """Nothing is lost: the concurrent values are all there, and `siblings` shows them."""

    code = 105
    message = "the function {name!r} could not settle {namespace}/{key}: {why}"
    hint = "Correct the function; `memtend conflicts show` shows the values it was given."


class TooManySiblings(MemtendError):
    """The write was refused, so that its value is still in the hands of who wrote it."""

    code = 106
    message = "{namespace}/{key} has {count} concurrent values already; the limit is {limit}"
    hint = "Write with the context of a newer look, or settle it with `memtend conflicts resolve`."
