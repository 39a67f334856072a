"""Every statement of the hot paths, as constant text, once for both engines.

Constant, because an inlined literal doubles the cost of a get. `{in_ints}`, `{in_texts}`,
`{for_update}` and `{server_ms}` are the places where the dialects differ; `?` becomes `%s` for
psycopg. A test prepares each one on both engines against the migrated schema.
"""

from __future__ import annotations

from typing import Final

from memtend.store import (
    sql_alerts,
    sql_conflicted,
    sql_conflicts,
    sql_duplicates,
    sql_health,
    sql_hooks,
    sql_imports,
    sql_learning,
    sql_leases,
    sql_messages,
    sql_metrics,
    sql_migrate,
    sql_narrowing,
    sql_optimize,
    sql_prune,
    sql_report,
    sql_schema,
    sql_shards,
    sql_sync,
    sql_upkeep,
)

SIBLING_COLUMNS: Final = (
    "seq, ns, key, field, r, n, exp, flags, kind, agent, writer, content, size, body, value, hash"
)
META_COLUMNS: Final = (
    "store_id, replica_no, epoch, lease_epoch, hlc, seq, n, rows, size, sum, audit_n, audit_head, "
    "config, created_ms, file_id, crc"
)
# 4 is Codec.ARCHIVED: where such a value lies is needed to take it off the totals.
_OLD = (
    "seq, n, exp, flags, size, body, key, field, ns, r, hash, "
    "CASE WHEN (flags & 15) = 4 THEN value END"
)

STATEMENTS: Final[dict[str, str]] = {
    # one record
    "get": "SELECT flags, exp, body, value, hash FROM sibling "
    "WHERE ns = ? AND key = ? AND field = ''",
    "get_fields": "SELECT field, flags, exp, body, value, hash FROM sibling "
    "WHERE ns = ? AND key = ? ORDER BY field, n, r",
    "get_many": "SELECT key, flags, exp, body, value, hash, field FROM sibling "
    "WHERE ns = ? AND key {in_texts} AND field = ''",
    # with elements of sets: told apart by their hashes, not by an index that may be damaged
    "scan": "SELECT key, flags, exp, body, value, hash, field FROM sibling "
    "WHERE ns = ? AND key > ? ORDER BY key, field LIMIT ?",
    "scan_until": "SELECT key, flags, exp, body, value, hash, field FROM sibling "
    "WHERE ns = ? AND key > ? AND key < ? ORDER BY key, field LIMIT ?",
    "old": f"SELECT {_OLD} FROM sibling WHERE ns = ? AND key = ? AND field = ?",
    "take": f"DELETE FROM sibling WHERE ns = ? AND key = ? AND field = ? RETURNING {_OLD}",
    "old_many": f"SELECT {_OLD} FROM sibling WHERE ns = ? AND key {{in_texts}}",
    "old_by_seq": f"SELECT {_OLD} FROM sibling WHERE seq {{in_ints}} ORDER BY seq",
    "by_seq": f"SELECT {SIBLING_COLUMNS} FROM sibling WHERE seq {{in_ints}} ORDER BY seq",
    "insert": f"INSERT INTO sibling ({SIBLING_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "delete": "DELETE FROM sibling WHERE seq = ?",
    "delete_many": "DELETE FROM sibling WHERE seq {in_ints}",
    # what lies beside a missing name, from the index alone, and the row it points to
    "path_below": "SELECT ns, key, field, n, r, seq FROM sibling WHERE (ns, key) < (?, ?) "
    "ORDER BY ns DESC, key DESC, field DESC, n DESC, r DESC LIMIT 1",
    "path_above": "SELECT ns, key, field, n, r, seq FROM sibling WHERE (ns, key) >= (?, ?) "
    "ORDER BY ns, key, field, n, r LIMIT 1",
    "path_before": "SELECT ns, key, field, n, r, seq FROM sibling "
    "WHERE (ns, key, field, n, r) < (?, ?, ?, ?, ?) "
    "ORDER BY ns DESC, key DESC, field DESC, n DESC, r DESC LIMIT 1",
    "path_within_below": "SELECT ns, key, field, n, r, seq FROM sibling "
    "WHERE ns = ? AND key < ? ORDER BY key DESC, field DESC, n DESC, r DESC LIMIT 1",
    "path_within_above": "SELECT ns, key, field, n, r, seq FROM sibling "
    "WHERE ns = ? AND key >= ? ORDER BY key, field, n, r LIMIT 1",
    # bounded, for elements of sets may follow by the thousand
    "path_next_plain": "SELECT ns, key FROM (SELECT ns, key, field, n, r FROM sibling "
    "WHERE (ns, key) >= (?, ?) ORDER BY ns, key, field, n, r LIMIT 64) AS near "
    "WHERE ns = ? AND field = '' LIMIT 1",
    "path_last": "SELECT ns, key FROM sibling "
    "ORDER BY ns DESC, key DESC, field DESC, n DESC, r DESC LIMIT 1",
    "path_row": "SELECT ns, key, field, n, r FROM sibling WHERE seq = ?",
    "namespace_below": "SELECT path, id FROM namespace WHERE path < ? ORDER BY path DESC LIMIT 1",
    "namespace_above": "SELECT path, id FROM namespace WHERE path >= ? ORDER BY path LIMIT 1",
    "namespace_before": "SELECT path, id FROM namespace WHERE path < ? ORDER BY path DESC LIMIT 1",
    "namespace_last": "SELECT path FROM namespace ORDER BY path DESC LIMIT 1",
    "namespace_row": "SELECT path FROM namespace WHERE id = ?",
    # tags
    "tag": "INSERT INTO tag (tag, seq) VALUES (?, ?)",
    "untag": "DELETE FROM tag WHERE tag = ? AND seq = ?",
    "tagged": "SELECT s.ns, s.key, s.flags, s.exp, s.body, s.value, s.hash, EXISTS (SELECT 1 "
    "FROM sibling x WHERE x.ns = s.ns AND x.key = s.key AND x.field = '' AND x.seq <> s.seq), "
    "s.seq FROM tag t JOIN sibling s ON s.seq = t.seq "
    "WHERE t.tag = ? AND t.seq > ? AND s.field = '' ORDER BY t.seq LIMIT ?",
    # in the order of writing: `+ns` keeps the planner from sorting whole namespaces instead
    "changed_in": "SELECT seq, ns, key, field, writer FROM sibling "
    "WHERE seq > ? AND +ns {in_ints} ORDER BY seq LIMIT ?",
    "of_writer": "SELECT seq, ns, key, field FROM sibling WHERE writer = ? AND seq > ? "
    "ORDER BY seq LIMIT ?",
    # change log
    "log": "INSERT INTO log (ns, key, field, r, n, seq, at_ms, why, crc) "
    "VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (ns, key, field, r) DO UPDATE SET "
    "n = excluded.n, seq = excluded.seq, at_ms = excluded.at_ms, why = excluded.why, "
    "crc = excluded.crc WHERE excluded.n >= log.n",
    "log_of": "SELECT r, n, seq, at_ms, why FROM log WHERE ns = ? AND key = ? ORDER BY seq DESC",
    "log_of_field": "SELECT r, n FROM log WHERE ns = ? AND key = ? AND field = ?",
    "contested": "SELECT id FROM namespace WHERE contested = 1 AND id {in_ints}",
    # totals
    "tally": "INSERT INTO tally (scope, name, rows, size) VALUES (?,?,?,?) "
    "ON CONFLICT (scope, name) DO UPDATE SET rows = tally.rows + excluded.rows, "
    "size = tally.size + excluded.size",
    "tally_of": "SELECT rows, size FROM tally WHERE scope = ? AND name = ?",
    "tallies": "SELECT scope, name, rows, size FROM tally ORDER BY scope, name",
    "revision_locked": "SELECT version_num FROM alembic_version{for_update}",
    "meta": f"SELECT {META_COLUMNS} FROM meta WHERE id = 1",
    "meta_locked": f"SELECT {META_COLUMNS} FROM meta WHERE id = 1{{for_update}}",
    "add_meta": f"INSERT INTO meta (id, {META_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "advance_meta": "UPDATE meta SET hlc=?, seq=?, n=?, rows=?, size=?, sum=?, audit_n=?, "
    "audit_head=?, config=?, crc=? WHERE id = 1",
    "save_meta": "UPDATE meta SET store_id=?, replica_no=?, epoch=?, lease_epoch=?, hlc=?, seq=?, "
    "n=?, rows=?, size=?, sum=?, audit_n=?, audit_head=?, config=?, created_ms=?, file_id=?, crc=? "
    "WHERE id = 1",
    # names
    "namespaces": "SELECT id, path, contested FROM namespace ORDER BY path",
    "namespace": "SELECT id, contested FROM namespace WHERE path = ?",
    "add_namespace": "INSERT INTO namespace (id, path, contested) "
    "VALUES ((SELECT coalesce(max(id), 65535) + 1 FROM namespace), ?, 0) RETURNING id",
    "load_namespace": "INSERT INTO namespace (id, path, contested) VALUES (?,?,?)",
    "contest": "UPDATE namespace SET contested = 1 WHERE id = ?",
    "replicas": "SELECT no, id, seen, floor, created_ms, crc FROM replica ORDER BY no",
    "add_replica": "INSERT INTO replica (no, id, seen, floor, created_ms, crc) "
    "VALUES (?,?,?,?,?,?)",
    "save_replica": "UPDATE replica SET seen = ?, floor = ?, crc = ? WHERE no = ?",
    # expiry
    "expired": "SELECT seq, ns, key, field, exp, size FROM sibling "
    "WHERE exp IS NOT NULL AND exp <= ? ORDER BY exp, seq LIMIT ?",
    # what the archive decides by: everything but the value; in order of key, siblings together
    "stream_usage": "SELECT s.ns, s.key, s.field, s.seq, s.exp, s.flags, s.size, s.body, a.count, "
    "a.at_ms FROM sibling s LEFT JOIN access a ON a.ns = s.ns AND a.key = s.key "
    "ORDER BY s.ns, s.key, s.field",
    "stream_usage_of": "SELECT s.ns, s.key, s.field, s.seq, s.exp, s.flags, s.size, s.body, "
    "a.count, a.at_ms FROM sibling s LEFT JOIN access a ON a.ns = s.ns AND a.key = s.key "
    "WHERE s.ns {in_ints} ORDER BY s.ns, s.key, s.field",
    # 4 is Codec.ARCHIVED
    "stream_stubs": "SELECT p.path, s.key, s.field, s.seq, s.exp, s.flags, s.body, s.value, "
    "s.hash, s.content "
    "FROM sibling s JOIN namespace p ON p.id = s.ns "
    "WHERE (s.flags & 15) = 4 ORDER BY p.path, s.key",
    # small tables
    "audit": "INSERT INTO audit (n, at_ms, action, actor, detail, seal) VALUES (?,?,?,?,?,?)",
    "redact": "UPDATE audit SET actor = ?, detail = ? WHERE n = ?",
    "seal_of": "SELECT seal FROM audit WHERE n = ?",
    "audits": "SELECT n, at_ms, action, actor, detail, seal FROM audit "
    "WHERE n > ? ORDER BY n LIMIT ?",
    "access": "INSERT INTO access (ns, key, count, at_ms, crc) VALUES (?,?,?,?,?) "
    "ON CONFLICT (ns, key) DO UPDATE SET count = excluded.count, at_ms = excluded.at_ms, "
    "crc = excluded.crc",
    "accesses": "SELECT key, count, at_ms, crc FROM access WHERE ns = ? AND key {in_texts}",
    "forget_access": "DELETE FROM access WHERE ns = ? AND key = ?",
    "op": "SELECT result FROM op WHERE op_id = ?",
    "save_op": "INSERT INTO op (op_id, at_ms, result, crc) VALUES (?,?,?,?)",
    # what was done for a message is known for as long as the message is
    "forget_ops": "DELETE FROM op WHERE at_ms < ? "
    "AND (NOT (op_id > 'message/' AND op_id < 'message0') OR at_ms < ?)",
    "setting": "SELECT value FROM setting WHERE name = ?",
    "settings": "SELECT name, value, crc FROM setting ORDER BY name",
    "save_setting": "INSERT INTO setting (name, value, crc) VALUES (?,?,?) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value, crc = excluded.crc",
    "grants": 'SELECT agent, pattern, "right", crc FROM access_grant ORDER BY agent, pattern',
    "grant": 'INSERT INTO access_grant (agent, pattern, "right", crc) VALUES (?,?,?,?) '
    "ON CONFLICT DO NOTHING",
    "revoke": "DELETE FROM access_grant WHERE agent = ? AND pattern = ?",
    "catalog": "INSERT INTO catalog "
    "(manifest, url, at_ms, seq, rows, size, root, verified_ms, crc) "
    "VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (manifest) DO UPDATE SET "
    "verified_ms = excluded.verified_ms, crc = excluded.crc",
    "catalogs": "SELECT manifest, url, at_ms, seq, rows, size, root, verified_ms, crc "
    "FROM catalog "
    "ORDER BY at_ms DESC, manifest DESC LIMIT ?",
    "erase": "INSERT INTO erasure (kind, digest, at_hlc, seq, crc) VALUES (?,?,?,?,?) "
    "ON CONFLICT (kind, digest) DO UPDATE SET at_hlc = excluded.at_hlc, seq = excluded.seq, "
    "crc = excluded.crc",
    "dictionary": "SELECT data FROM dictionary WHERE id = ?",
    "add_dictionary": "INSERT INTO dictionary (id, kind, data, made_ms, crc) "
    "VALUES ((SELECT coalesce(max(id), 0) + 1 FROM dictionary), ?, ?, ?, ?) RETURNING id",
    "load_dictionary": "INSERT INTO dictionary (id, kind, data, made_ms, crc) VALUES (?,?,?,?,?)",
    "newest_dictionaries": "SELECT kind, max(id) FROM dictionary GROUP BY kind",
    # erasing: what belongs to a subject, and every other place that names it
    "of_key": "SELECT seq FROM sibling WHERE ns = ? AND key = ?",
    "of_namespace": "SELECT seq FROM sibling WHERE ns = ?",
    "owned": "SELECT seq, ns, key, agent, writer, body FROM sibling WHERE seq > ? "
    "ORDER BY seq LIMIT ?",
    "sized": "SELECT exp, flags, size, field FROM sibling WHERE seq {in_ints}",
    "keys_left": "SELECT DISTINCT key FROM sibling WHERE ns = ? AND key {in_texts}",
    "untag_all": "DELETE FROM tag WHERE seq {in_ints}",
    "log_keys": "SELECT DISTINCT key FROM log WHERE ns = ? AND key > ? ORDER BY key LIMIT ?",
    "log_ends": "SELECT r, max(n), count(*) FROM log WHERE ns = ? AND key {in_texts} "
    "AND seq <= ? GROUP BY r",
    "unlog": "DELETE FROM log WHERE ns = ? AND key {in_texts} AND seq <= ?",
    "access_keys": "SELECT key FROM access WHERE ns = ? AND key > ? ORDER BY key LIMIT ?",
    "forget_accesses": "DELETE FROM access WHERE ns = ? AND key {in_texts}",
    "ops": "SELECT op_id, result FROM op WHERE op_id > ? ORDER BY op_id LIMIT ?",
    "forget_op": "DELETE FROM op WHERE op_id = ?",
    "forget_empty": "DELETE FROM tally WHERE rows = 0 AND scope IN ('agent', 'session')",
    "drop_tally": "DELETE FROM tally WHERE scope = ? AND name = ?",
    "in_use": "SELECT 1 FROM namespace WHERE id = ? AND ("
    "EXISTS (SELECT 1 FROM sibling WHERE ns = namespace.id) "
    "OR EXISTS (SELECT 1 FROM log WHERE ns = namespace.id) "
    "OR EXISTS (SELECT 1 FROM access WHERE ns = namespace.id))",
    "rename_namespace": "UPDATE namespace SET path = ? WHERE id = ?",
    # streams, for backup and verify
    "stream": "SELECT key, field, seq, exp, flags, body, value, hash, content FROM sibling "
    "WHERE ns = ? ORDER BY key, field, n, r",
    "stream_hashes": "SELECT key, field, r, n, hash FROM sibling "
    "WHERE ns = ? ORDER BY key, field, n, r",
    "stream_all": f"SELECT {SIBLING_COLUMNS} FROM sibling ORDER BY seq",
    "stream_tags": "SELECT tag, seq FROM tag ORDER BY seq, tag",
    "stream_log": "SELECT p.path, l.key, l.field, q.id, l.n, l.seq, l.at_ms, l.why FROM log l "
    "JOIN namespace p ON p.id = l.ns JOIN replica q ON q.no = l.r "
    "WHERE l.seq > ? ORDER BY p.path, l.key, l.field, q.id",
    # every sibling of every path that was touched after a point of the change sequence
    "stream_changed": "SELECT s.seq, s.size FROM (SELECT ns, key, field FROM sibling WHERE seq > ? "
    "UNION SELECT ns, key, field FROM log WHERE seq > ?) t JOIN namespace p ON p.id = t.ns "
    "JOIN sibling s ON s.ns = t.ns AND s.key = t.key AND s.field = t.field "
    "ORDER BY p.path, s.key, s.field, s.n, s.r",
    "rows_by_seq": "SELECT p.path, s.key, s.field, s.seq, s.exp, s.flags, s.body, s.value, s.hash, "
    "s.content "
    "FROM sibling s JOIN namespace p ON p.id = s.ns WHERE s.seq {in_ints}",
    "stream_log_rows": "SELECT ns, key, field, r, n, seq, at_ms, why, crc FROM log ORDER BY seq",
    "stream_access": "SELECT ns, key, count, at_ms, crc FROM access ORDER BY ns, key",
    "stream_reads": "SELECT p.path, a.key, a.count, a.at_ms FROM access a "
    "JOIN namespace p ON p.id = a.ns ORDER BY p.path, a.key",
    "stream_erasure": "SELECT kind, digest, at_hlc, seq, crc FROM erasure ORDER BY kind, digest",
    "stream_audit": "SELECT n, at_ms, action, actor, detail, seal FROM audit "
    "WHERE n > ? ORDER BY n",
    "stream_access_grant": 'SELECT agent, pattern, "right", crc FROM access_grant '
    'ORDER BY agent, pattern, "right"',
    "stream_catalog": "SELECT manifest, url, at_ms, seq, rows, size, root, verified_ms, crc "
    "FROM catalog ORDER BY manifest",
    "stream_dictionary": "SELECT kind, data, made_ms, crc FROM dictionary ORDER BY id",
    "stream_dictionaries": "SELECT id, kind, data, made_ms FROM dictionary ORDER BY id",
    "stream_op": "SELECT op_id, at_ms, result, crc FROM op ORDER BY op_id",
    "stream_replica": "SELECT no, id, seen, floor, created_ms, crc FROM replica ORDER BY no",
    "stream_setting": "SELECT name, value, crc FROM setting ORDER BY name",
}

STATEMENTS.update(sql_leases.STATEMENTS | sql_messages.STATEMENTS | sql_sync.STATEMENTS)
STATEMENTS.update(sql_conflicted.STATEMENTS | sql_conflicts.STATEMENTS | sql_hooks.STATEMENTS)
STATEMENTS.update(sql_migrate.STATEMENTS | sql_schema.STATEMENTS)
STATEMENTS.update(sql_imports.STATEMENTS | sql_upkeep.STATEMENTS | sql_alerts.STATEMENTS)
STATEMENTS.update(sql_narrowing.STATEMENTS | sql_optimize.STATEMENTS)
STATEMENTS.update(sql_duplicates.STATEMENTS | sql_prune.STATEMENTS)
STATEMENTS.update(sql_report.STATEMENTS | sql_learning.STATEMENTS)

STATEMENTS.update(sql_metrics.STATEMENTS)
STATEMENTS.update(sql_shards.STATEMENTS)
STATEMENTS.update(sql_health.STATEMENTS | sql_health.peeks(STATEMENTS))

_SQLITE: Final = {
    "ints": "json_each(?) AS one",
    "in_ints": "IN (SELECT value FROM json_each(?))",
    "in_texts": "IN (SELECT value FROM json_each(?))",
    "for_update": "",
    "server_ms": "NULL",
}
_POSTGRES: Final = {
    "ints": "unnest(?::bigint[]) AS one(value)",
    "in_ints": "= ANY(?)",
    "in_texts": "= ANY(?)",
    "for_update": " FOR UPDATE",
    "server_ms": "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
}


def sqlite_statements() -> dict[str, str]:
    return {name: text.format(**_SQLITE) for name, text in STATEMENTS.items()}


def postgres_statements() -> dict[str, str]:
    return {name: text.format(**_POSTGRES).replace("?", "%s") for name, text in STATEMENTS.items()}
