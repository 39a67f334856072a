"""Whether a store has every table, column and index that this program's schema says.

What should be there stands here as text, because asking the ORM for it takes longer than the whole
look; a test compares the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from memtend.store.engine import Engine

TABLES: Final = """
access ns key count at_ms crc
access_grant agent pattern right crc
access_log digest ns at_ms what size halvings crc
alert id rule scope level state facts first_ms last_ms ended_ms crc
audit n at_ms action actor detail seal
catalog manifest url at_ms seq rows size root verified_ms crc
delivery inbox dead sender no topic size hlc expires_ms visible_ms tries receipt crc
dictionary id kind data made_ms crc
erasure kind digest at_hlc seq crc
ghost namespace digest rule plan at_ms reads read_ms crc
inbox name waiting size dead crc
lane inbox sender due_ms no crc
latency hour op tier bucket count
lease resource n guard crc
lease_accepted resource epoch n crc
lease_grant resource n epoch holder mode expires_ms request crc
lease_ticket id number resource mode holder until_ms crc
log ns key field r n seq at_ms why crc
member swarm agent hlc crc
message no id sender recipient topic reply_to sent_ms expires_ms hlc tries_max size sum crc pending
 receipt body
meta id store_id replica_no epoch lease_epoch hlc seq n rows size sum audit_n audit_head config
 created_ms file_id crc
metric series at_ms value crc
migration run what family found wanted plan manifest state facts began_ms ended_ms crc
model id scenario kind status made_ms promoted_ms parent program seed rows first_ms last_ms files
 why facts crc
namespace id path contested
op op_id at_ms result crc
peer id name url seen at_seq at_vv heard_ms met_ms retired_ms accept crc
pruning plan at_ms records size archive_run undone_ms facts crc
regret rule namespace pruned missed reads crc
replica no id seen floor created_ms crc
setting name value crc
sibling seq ns key field r n exp flags kind agent writer content size body value hash
silence id pattern until_ms facts crc
tag tag seq
tally scope name rows size
trial id namespace state facts began_ms ended_ms crc
"""
"""A table and its columns; a line that begins with a space goes on with the one before."""

INDEXES: Final = (
    "ix_delivery_no", "ix_delivery_topic", "ix_lane_due", "ix_lease_ticket_resource", "ix_log_seq",
    "ix_message_expires", "ix_op_at", "ix_sibling_agent", "ix_sibling_exp", "ux_message_id",
    "ux_namespace_path", "ux_replica_id", "ux_sibling_path",
)  # fmt: skip

_COLUMNS: Final = {
    "sqlite": "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p "
    "WHERE m.type = 'table'",
    "postgresql": "SELECT c.relname::text, a.attname::text FROM pg_class c "
    "JOIN pg_namespace s ON s.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid "
    "WHERE s.nspname = current_schema() AND c.relkind = 'r' AND a.attnum > 0 "
    "AND NOT a.attisdropped",
}
_INDEXES: Final = {
    "sqlite": "SELECT name, 1 FROM sqlite_master WHERE type = 'index'",
    "postgresql": "SELECT c.relname::text, (i.indisvalid AND i.indisready)::int FROM pg_index i "
    "JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace s ON s.oid = c.relnamespace "
    "WHERE s.nspname = current_schema()",
}


def expected() -> dict[str, tuple[str, ...]]:
    lines = TABLES.strip().replace("\n ", " ").splitlines()
    return {table: tuple(columns) for table, *columns in map(str.split, lines)}


def problems(engine: Engine) -> tuple[str, ...]:
    """What is missing or unusable, in words; nothing where all is there."""
    found: dict[str, set[str]] = {}
    for table, column in engine.script(_COLUMNS[engine.kind]):
        found.setdefault(table, set()).add(column)
    indexes = {name: bool(usable) for name, usable in engine.script(_INDEXES[engine.kind])}
    told = []
    for table, columns in expected().items():
        if table not in found:
            told.append(f"table {table} is missing")
        elif lost := [name for name in columns if name not in found[table]]:
            told.append(f"table {table} lacks {', '.join(lost)}")
    told += [f"index {name} is missing" for name in INDEXES if name not in indexes]
    told += [f"index {name} is not usable" for name, usable in indexes.items() if not usable]
    return tuple(told)
