"""From an address to a target.

A plain path and `file://` are folders; everything else is an fsspec URL: `memory://x`,
`s3://bucket/folder`. Credentials and endpoints come from the environment of the client library
(for S3 `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL`) or from `options`, which a
block fills; never from the URL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from time import sleep as real_sleep
from typing import Any, Final

from memtend.clock import Clock
from memtend.errors import InvalidSettings
from memtend.limits import TARGET_CONNECT_S, TARGET_READ_S
from memtend.objects.failures import translated
from memtend.objects.local import LocalStore
from memtend.objects.remote import RemoteStore
from memtend.objects.retry import Retry
from memtend.objects.store import ObjectStore
from memtend.objects.urls import address_of, is_local, protocol_of, redact

_ID_VALUES: Final = 2**128


def open_target(
    url: str,
    clock: Clock,
    *,
    options: Mapping[str, Any] | None = None,
    sleep: Callable[[float], None] = real_sleep,
) -> ObjectStore:
    """The target at `url`. Nothing is read or written yet."""
    protocol = protocol_of(url)
    if is_local(protocol):
        return LocalStore(Path(address_of(url)), clock.new_id)
    filesystem = filesystem_of(protocol, url, options or {})
    retry = Retry(lambda: int(clock.new_id(), 16) / _ID_VALUES, sleep)
    root = str(filesystem._strip_protocol(url.partition("?")[0]))
    return RemoteStore(filesystem, root, address_of(url), retry=retry, new_id=clock.new_id)


def filesystem_of(protocol: str, url: str, options: Mapping[str, Any]) -> Any:
    """The fsspec file system of a URL; raises `InvalidSettings` where no package reads it."""
    import fsspec  # noqa: PLC0415 — most commands have no remote target

    defaults: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if protocol in {"s3", "s3a"}:
        defaults["config_kwargs"] = {
            "connect_timeout": TARGET_CONNECT_S,
            "read_timeout": TARGET_READ_S,
            "retries": {"total_max_attempts": 1},
            # rclone answers a range with the checksum of the whole; we compare hashes ourselves.
            "response_checksum_validation": "when_required",
        }
    try:
        with translated(redact(url), ""):
            filesystem = fsspec.filesystem(protocol, **(defaults | dict(options)))
    except (ImportError, ValueError) as error:
        why = f"{protocol}:// needs a package that is not installed, or is unknown"
        raise InvalidSettings(name="target URL", why=why) from error
    if protocol in {"s3", "s3a"}:
        filesystem.retries = 1
    return filesystem
