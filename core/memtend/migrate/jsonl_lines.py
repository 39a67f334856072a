"""One line of an export as an item to import.

Everything is checked that a line could say wrongly: it may come from anywhere. What a line does not
say, nobody said; what it says beyond the format is refused, because it cannot be kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import ValidationError

from memtend.codec.canonical import encode
from memtend.codec.lines import MARK, OF_LINE, OF_VERSION, TYPES
from memtend.crdt.rows import RowKind
from memtend.errors import InvalidName, InvalidValue, LimitExceeded
from memtend.formats import EXPORT_FORMAT
from memtend.limits import INTEGER_ABS_MAX, SIBLINGS_MAX, TTL_MS_MAX, VALUE_BYTES_MAX
from memtend.migrate.items import LINEAGE, Copied, CopiedValue, ImportItem, Lineage
from memtend.migrate.jsontext import parse, refuse_doubled_keys
from memtend.model.names import check_name, check_path
from memtend.model.record import Labels
from memtend.model.timestamps import NotATime, parse_moment
from memtend.model.unreadable import Unreadable
from memtend.store.drafts import pack_extra

if TYPE_CHECKING:
    from memtend.migrate.reader import Options

KIND: Final = "jsonl"
_KINDS: Final = {name: kind for kind, name in TYPES.items()} | {None: RowKind.PLAIN}
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_ID_CHARS: Final = 32


def parsed(data: bytes) -> Any:
    """The value of a line; raises `Unreadable`."""
    found = parse(data)
    if not found.plain:
        refuse_doubled_keys(found.value)
    return found.value


def item_of(said: Any, digest: bytes, store: str, file: str, options: Options) -> ImportItem:
    """`digest` is the hash of the line; `store` names where it was exported from."""
    try:
        return _item(said, digest, store, file, options)
    except (InvalidName, InvalidValue, LimitExceeded, NotATime) as error:
        raise Unreadable(str(error)) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Unreadable(f"label {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    except (TypeError, UnicodeError) as error:
        raise Unreadable(
            f"it holds text that is no Unicode, or a member of another type: {error}"
        ) from None


def _item(said: Any, digest: bytes, store: str, file: str, options: Options) -> ImportItem:
    if not isinstance(said, dict) or MARK in said:
        raise Unreadable("it is no record")
    _refuse_unknown(said, OF_LINE)
    namespace, key, field = said.get("namespace"), said.get("key"), said.get("field", "")
    if not isinstance(namespace, str) or not isinstance(key, str):
        raise Unreadable("its namespace or its key is no text")
    check_path(namespace, key)
    kind = _KINDS.get(said.get("type"))
    if kind is None:
        raise Unreadable(f"its type {str(said.get('type'))[:32]!r} is not known")
    top, naive = _version(said, key, options)
    _check_kind(kind, field, top)
    siblings = said.get("siblings", [])
    if not isinstance(siblings, list) or len(siblings) > SIBLINGS_MAX:
        raise Unreadable(f"its siblings are no list of at most {SIBLINGS_MAX}")
    older = []
    for one in siblings:
        _refuse_unknown(one, OF_VERSION)
        version, more = _version(one, key, options)
        older.append(version)
        naive += more
    lineage = _lineage(top.labels)
    path = f"{namespace}/{key}" + (f" {field}" if field else "")
    own = sha256(encode([KIND, store, path])).hexdigest()[:_ID_CHARS]
    import_id = own if lineage is None else lineage["import_id"]
    reads, read_ms = _access(said.get("access"), options)
    return ImportItem(
        namespace=namespace,
        key=key,
        value=top.value,
        labels=top.labels,
        source=Lineage(
            KIND, file, path, str(EXPORT_FORMAT), None, import_id, digest.hex()[:_ID_CHARS]
        ),
        counter=kind is RowKind.COUNTER,
        created_ms=top.created_ms,
        updated_ms=top.updated_ms,
        accessed_ms=read_ms,
        access_count=reads,
        expires_at_ms=top.expires_ms,
        naive_times=naive,
        copied=Copied(field, kind, top, tuple(older), lineage),
        text=top.text,
        pin=int.from_bytes(digest[:8], "big", signed=True),
    )


def _version(said: Any, key: str, options: Options) -> tuple[CopiedValue, int]:
    """A value with its labels and times, and how many of the times had no zone."""
    if "value" not in said:
        raise Unreadable("it has no value")
    given = {name: parse_moment(said[name], options.zone)
             for name in ("created", "updated", "expires") if name in said}  # fmt: skip
    times = {name: moment.ms for name, moment in given.items()}
    ttl_ms = said.get("ttl_ms")
    if ttl_ms is not None and not (type(ttl_ms) is int and 0 <= ttl_ms <= TTL_MS_MAX):
        raise Unreadable("its ttl_ms is no number of milliseconds")
    labels = Labels.model_validate_json(orjson.dumps(said.get("labels", {})), strict=True)
    packed = pack_extra(labels.extra) or b""  # whatever a store takes, it takes back
    if len(packed) > VALUE_BYTES_MAX:
        raise LimitExceeded(what="size", name="extra", actual=len(packed), limit=VALUE_BYTES_MAX)
    version = CopiedValue(
        said["value"], encode(said["value"], key), labels, times.get("created"),
        times.get("updated"), times.get("expires"), ttl_ms,
    )  # fmt: skip
    return version, sum(moment.naive for moment in given.values())


def _check_kind(kind: RowKind, field: Any, top: CopiedValue) -> None:
    if kind in (RowKind.ELEMENT, RowKind.FIELD):
        check_name(field, "field")
        if kind is RowKind.ELEMENT and field != sha256(top.text).hexdigest():
            raise Unreadable(
                "the field of an element is the hash of its value, and this one is not"
            )
    elif field != "":
        raise Unreadable("only elements of sets and fields of maps have a field")
    if kind is RowKind.COUNTER:
        value = top.value
        if type(value) is not int or abs(value) > INTEGER_ABS_MAX:
            raise Unreadable("its value is no number that a counter can have")


def _lineage(labels: Labels) -> dict[str, Any] | None:
    """Where the record came from before it was exported."""
    said = labels.extra.get(LINEAGE)
    if isinstance(said, dict) and _ID.fullmatch(str(said.get("import_id"))):
        return said
    return None


def _access(said: Any, options: Options) -> tuple[int, int | None]:
    if said is None:
        return 0, None
    if not isinstance(said, Mapping) or said.keys() - {"count", "at"}:
        raise Unreadable("its access is no count with a time")
    count = said.get("count", 0)
    if type(count) is not int or not 0 <= count <= INTEGER_ABS_MAX:
        raise Unreadable("its access count is no number")
    return count, parse_moment(said["at"], options.zone).ms if "at" in said else None


def _refuse_unknown(said: Any, known: frozenset[str]) -> None:
    if not isinstance(said, dict):
        raise Unreadable("a sibling in it is no object")
    if unknown := sorted(said.keys() - known):
        raise Unreadable(f"it says {unknown[0][:64]!r}, which this format does not know")
