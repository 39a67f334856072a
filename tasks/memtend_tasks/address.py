"""Where a store, its backups or its archive are, without a password ever being a parameter.

Prefect stores every parameter in clear and shows it in the UI. So what a form takes is a name
or a plain address; what carries credentials stays in the environment or in a Secret block:

    ``default``         the address in the settings (MEMTEND_STORE_URL, MEMTEND_BACKUP_URL,
                        MEMTEND_ARCHIVE_URL)
    ``prod``            the Secret block ``memtend-store-prod`` (``memtend-backup-prod``,
                        ``memtend-archive-prod``, ``memtend-export-prod``, ``memtend-peer-prod``)
    ``/srv/memory.db``  a path or a URL without credentials, as it is

The key of encrypted backups goes the same way: MEMTEND_BACKUP_KEY in the environment, or for a
target that is a block the Secret block ``memtend-key-prod`` beside it.
"""

from __future__ import annotations

import re
from hashlib import blake2s
from pathlib import PurePosixPath
from typing import Literal, NamedTuple, cast

from prefect.blocks.system import Secret
from pydantic import SecretStr

from memtend_tasks.errors import AddressUnknown, SecretInParameter
from memtend_tasks.place import SQLITE, absolute, shown

DEFAULT = "default"
PLAIN_PATTERN = r"^(postgresql://[^/@:?#]*@)?[^@?#]+$"
"""What a form and the server accept, before a run exists: no password, and no query, where
credentials hide too. A bare user name is no secret on PostgreSQL, and a token elsewhere."""
PATH_PATTERN = r"^(?!.*://).+$"
"""A path on the machine where the run executes: older memory is read there and nowhere else."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}", re.ASCII)
_LABEL_CHARS_MAX = 40

What = Literal["store", "backup", "archive", "export"]


class Address(NamedTuple):
    """`url` may hold credentials and goes to core only; `label` and `shown` may be published."""

    url: str
    shown: str
    label: str


def check_plain(text: str, name: str = "store") -> str:
    """Return `text` if it can hold no credential; raise `SecretInParameter` otherwise."""
    if not re.match(PLAIN_PATTERN, text):
        raise SecretInParameter(name=name)
    return text


def check_path(text: str, name: str = "source") -> str:
    """Return `text` if it is a path; what looks like a URL could carry a credential."""
    if not re.match(PATH_PATTERN, text):
        raise SecretInParameter(name=name)
    return text


def resolve(text: str, what: What, default: str) -> Address:
    """The address that `text` stands for. `default` is the one in the settings."""
    if text == DEFAULT:
        return to_address(default)
    if not is_block(text):
        return to_address(check_plain(text, what))
    block = f"memtend-{what}-{text}"
    url = read_secret(block)
    if url is None:
        raise AddressUnknown(what=what, name=text, block=block)
    return to_address(url)


def resolve_key(text: str) -> SecretStr | None:
    """The key that belongs to a target's block; None where the environment has the say."""
    key = read_secret(f"memtend-key-{text}") if is_block(text) else None
    return None if key is None else SecretStr(key)


def resolve_peer(text: str) -> str:
    """A peer's address from its Secret block where there is one, else what the store knows."""
    url = read_secret(f"memtend-peer-{text}") if is_block(text) else None
    return check_plain(text, "peer") if url is None else url


def is_block(text: str) -> bool:
    """Whether `text` names a Secret block, rather than a path, a URL or the default."""
    return text != DEFAULT and _NAME.fullmatch(text) is not None


def to_address(text: str) -> Address:
    """Name a place. However it is written, one place has one label on one machine."""
    plain = shown(absolute(text))
    slug = re.sub(r"[^a-z0-9]+", "-", PurePosixPath(plain).stem.lower()).strip("-")
    digest = blake2s(plain.removeprefix(SQLITE).encode(), digest_size=3).hexdigest()
    return Address(text, plain, f"{slug[:_LABEL_CHARS_MAX] or 'memory'}-{digest}")


def read_secret(block: str) -> str | None:
    """Its text as it was given, where `get` would read "1e10" or "true" as JSON; None without."""
    try:
        secret = cast("Secret[str]", Secret.load(block))
    except ValueError:  # what Prefect says of a block that is not there
        return None
    return str(secret.value.get_secret_value())
