"""What a failed call to a target means, in our errors.

The text of a foreign error is never repeated: clients put addresses, headers and keys into it.
Its class, its errno and the server's error code say enough. For the same reason our error does
not carry the foreign one along as its cause.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from memtend.errors import (
    MemtendError,
    ObjectMissing,
    TargetDenied,
    TargetFull,
    TargetUnavailable,
)

# Looked up among the loaded modules: a client that is not loaded cannot have raised.
_CLIENT_ERRORS: Final = (
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("aiohttp", "ClientError"),
    ("azure.core.exceptions", "AzureError"),
    ("gcsfs.retry", "HttpError"),
)
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_REFUSED: Final = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.EINVAL, errno.ENOSYS, errno.ENOTDIR}
)
_NO_CREDENTIALS: Final = ("Credential", "Token", "Auth", "ParamValidation", "ProfileNotFound")
TAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


def client_errors() -> tuple[type[Exception], ...]:
    """The error classes that the loaded clients may raise."""
    found = [getattr(sys.modules.get(module), name, None) for module, name in _CLIENT_ERRORS]
    known = tuple(kind for kind in found if kind is not None)
    return (OSError, NotImplementedError, *known)


def server_code(error: BaseException) -> str:
    """The error code that the server gave, if it gave one."""
    for one in (error, error.__cause__):
        response = getattr(one, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
    return ""


@contextmanager
def translated(url: str, name: str, *, writing: bool = False) -> Iterator[None]:
    """Raise what goes wrong inside as one of our errors."""
    try:
        yield
    except MemtendError:
        raise
    except client_errors() as error:
        raise _meaning(error, url, name, writing=writing) from None


def _meaning(error: Exception, url: str, name: str, *, writing: bool) -> MemtendError:
    why = _describe(error)
    number = getattr(error, "errno", None)
    if isinstance(error, FileNotFoundError):
        if writing:
            return TargetDenied(url=url, why="the folder or bucket does not exist")
        return ObjectMissing(url=url, name=name)
    if number in _FULL:
        return TargetFull(url=url)
    refused = isinstance(error, PermissionError | NotADirectoryError | NotImplementedError)
    credentials = any(part in type(error).__name__ for part in _NO_CREDENTIALS)
    if refused or credentials or number in _REFUSED:
        return TargetDenied(url=url, why=why)
    return TargetUnavailable(url=url, why=why)


def _describe(error: Exception) -> str:
    number = getattr(error, "errno", None)
    number_name = errno.errorcode.get(number, "") if isinstance(number, int) else ""
    detail = server_code(error) or number_name
    plain = detail if detail.isascii() and detail.replace(".", "").isalnum() else ""
    return f"{type(error).__name__} ({plain})" if plain else type(error).__name__
