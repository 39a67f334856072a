"""Statements of messages: what was sent, and what waits in each inbox."""

from __future__ import annotations

from typing import Final

MESSAGE: Final = (
    "no, id, sender, recipient, topic, reply_to, sent_ms, expires_ms, hlc, tries_max, size, sum, "
    "crc"
)
DELIVERY: Final = (
    "inbox, dead, sender, no, topic, size, hlc, expires_ms, visible_ms, tries, receipt, crc"
)
_HELD: Final = ", ".join(
    [f"d.{name}" for name in DELIVERY.split(", ")] + [f"m.{name}" for name in MESSAGE.split(", ")]
)
_FROM: Final = f"SELECT {_HELD}, m.body FROM delivery d LEFT JOIN message m ON m.no = d.no "

STATEMENTS: Final[dict[str, str]] = {
    "message_time": "SELECT {server_ms}",
    # sending
    "message_of": "SELECT no, pending, receipt, sender, recipient FROM message WHERE id = ?",
    "message_last": "SELECT coalesce(max(no), 0) FROM message",
    "add_message": f"INSERT INTO message ({MESSAGE}, pending, receipt, body) "
    "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "add_delivery": f"INSERT INTO delivery ({DELIVERY}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    "lane": "SELECT inbox, sender, due_ms, no, crc FROM lane WHERE inbox = ? AND sender = ?",
    "lanes_of_sender": "SELECT inbox, sender, due_ms, no, crc FROM lane "
    "WHERE sender = ? AND inbox {in_texts}",
    "save_lane": "INSERT INTO lane (inbox, sender, due_ms, no, crc) VALUES (?,?,?,?,?) "
    "ON CONFLICT (inbox, sender) DO UPDATE SET due_ms = excluded.due_ms, no = excluded.no, "
    "crc = excluded.crc",
    "drop_lane": "DELETE FROM lane WHERE inbox = ? AND sender = ?",
    "inboxes": "SELECT name, waiting, size, dead, crc FROM inbox WHERE name {in_texts}",
    "save_inbox": "INSERT INTO inbox (name, waiting, size, dead, crc) VALUES (?,?,?,?,?) "
    "ON CONFLICT (name) DO UPDATE SET waiting = excluded.waiting, size = excluded.size, "
    "dead = excluded.dead, crc = excluded.crc",
    "drop_inbox": "DELETE FROM inbox WHERE name = ?",
    # receiving
    "next_due": "SELECT min(due_ms), {server_ms} FROM lane WHERE inbox = ?",
    "lanes_due": "SELECT inbox, sender, due_ms, no, crc FROM lane "
    "WHERE inbox = ? AND due_ms <= ? ORDER BY due_ms, sender LIMIT ?",
    "lanes_of_topic": "SELECT l.inbox, l.sender, l.due_ms, l.no, l.crc FROM lane l "
    "WHERE l.inbox = ? AND l.due_ms <= ? AND EXISTS (SELECT 1 FROM delivery d "
    "WHERE d.inbox = l.inbox AND d.topic = ? AND d.topic <> '' AND d.sender = l.sender "
    "AND d.dead = 0) ORDER BY l.due_ms, l.sender LIMIT ?",
    "next_due_of_topic": "SELECT min(l.due_ms), {server_ms} FROM lane l "
    "WHERE l.inbox = ? AND EXISTS (SELECT 1 FROM delivery d "
    "WHERE d.inbox = l.inbox AND d.topic = ? AND d.topic <> '' AND d.sender = l.sender "
    "AND d.dead = 0)",
    "head": f"{_FROM}WHERE d.inbox = ? AND d.dead = 0 AND d.sender = ? ORDER BY d.no LIMIT 1",
    "head_of_topic": f"{_FROM}WHERE d.inbox = ? AND d.sender = ? AND d.topic = ? "
    "AND d.topic <> '' AND d.dead = 0 ORDER BY d.no LIMIT 1",
    "held": f"{_FROM}WHERE d.inbox = ? AND d.dead = ? AND d.sender = ? AND d.no = ?",
    "live_nos": "SELECT no FROM delivery WHERE inbox = ? AND dead = 0 AND sender = ? "
    "ORDER BY no LIMIT 2",
    "save_delivery": "UPDATE delivery SET expires_ms = ?, visible_ms = ?, tries = ?, receipt = ?, "
    "crc = ? WHERE inbox = ? AND dead = ? AND sender = ? AND no = ?",
    "drop_delivery": "DELETE FROM delivery WHERE inbox = ? AND dead = ? AND sender = ? AND no = ?",
    "settle_message": "UPDATE message SET pending = pending - 1, receipt = ?, "
    "body = CASE WHEN pending = 1 THEN ? ELSE body END WHERE no = ?",
    "set_pending": "UPDATE message SET pending = ? WHERE no = ?",
    "empty_messages": "UPDATE message SET body = ? WHERE pending = 0 AND size > 0",
    "drop_lanes": "DELETE FROM lane",
    "drop_inboxes": "DELETE FROM inbox",
    "prolong_message": "UPDATE message SET expires_ms = ?, crc = ? WHERE no = ?",
    # looking
    "letters": f"{_FROM}WHERE d.inbox = ? AND d.dead = ? AND d.no > ? ORDER BY d.no LIMIT ?",
    "letters_of": f"{_FROM}WHERE d.inbox = ? AND d.dead = 1 "
    "AND d.no IN (SELECT no FROM message WHERE id = ?)",
    "letter_of": f"{_FROM}WHERE d.inbox = ? AND d.dead = 0 "
    "AND d.no IN (SELECT no FROM message WHERE id = ?)",
    "message_totals": "SELECT name, waiting, size, dead, crc FROM inbox ORDER BY name",
    "message_mark": "SELECT (SELECT coalesce(max(no), 0) FROM message), coalesce(sum(waiting), 0), "
    "coalesce(sum(dead), 0) FROM inbox",
    "oldest_message": "SELECT min((SELECT m.sent_ms FROM delivery d JOIN message m ON m.no = d.no "
    "WHERE d.inbox = l.inbox AND d.dead = 0 AND d.sender = l.sender ORDER BY d.no LIMIT 1)) "
    "FROM lane l",
    "oldest_in_inbox": "SELECT min((SELECT m.sent_ms FROM delivery d JOIN message m "
    "ON m.no = d.no WHERE d.inbox = l.inbox AND d.dead = 0 AND d.sender = l.sender "
    "ORDER BY d.no LIMIT 1)) FROM lane l WHERE l.inbox = ?",
    # swarms
    "members": "SELECT agent FROM member WHERE swarm = ? ORDER BY agent",
    "save_member": "INSERT INTO member (swarm, agent, hlc, crc) VALUES (?,?,?,?) "
    "ON CONFLICT (swarm, agent) DO NOTHING",
    "drop_member": "DELETE FROM member WHERE swarm = ? AND agent = ?",
    # letting go
    "expired_messages": "SELECT no, id, expires_ms FROM message "
    "WHERE (expires_ms, no) > (?, ?) AND expires_ms <= ? ORDER BY expires_ms, no LIMIT ?",
    "deliveries_of": f"SELECT {DELIVERY} FROM delivery WHERE no {{in_ints}} ORDER BY no, inbox",
    "forget_messages": "DELETE FROM message WHERE no {in_ints}",
    "forget_message_ops": "DELETE FROM op WHERE op_id > ? AND op_id < ?",
    "all_deliveries": f"SELECT {DELIVERY} FROM delivery "
    "WHERE (inbox, dead, sender, no) > (?, ?, ?, ?) ORDER BY inbox, dead, sender, no LIMIT ?",
    "all_messages": f"SELECT {MESSAGE}, pending FROM message WHERE no > ? ORDER BY no LIMIT ?",
    "message_bodies": "SELECT body FROM message WHERE no {in_ints}",
    # streams, for backup and verify
    "stream_message": f"SELECT {MESSAGE} FROM message ORDER BY no",
    "stream_message_rows": f"SELECT {MESSAGE}, pending, receipt, body FROM message ORDER BY no",
    "stream_delivery": f"SELECT {DELIVERY} FROM delivery ORDER BY no, inbox",
    "stream_lane": "SELECT inbox, sender, due_ms, no, crc FROM lane ORDER BY inbox, sender",
    "stream_inbox": "SELECT name, waiting, size, dead, crc FROM inbox ORDER BY name",
    "stream_member": "SELECT swarm, agent, hlc, crc FROM member ORDER BY swarm, agent",
    "done_messages": f"SELECT {MESSAGE} FROM message WHERE pending = 0 ORDER BY no",
    "live_deliveries": "SELECT m.id, d.inbox FROM delivery d JOIN message m ON m.no = d.no",
}
