"""Why a target is missed, as far as it is understood. Read by the page; edit when it changes."""

from __future__ import annotations

UNKNOWN = "Not explained yet."

_FRAMES = (
    "A put changes the record, its index, the totals, the change number and the audit trail: five "
    "to six pages of the WAL where raw writes one or two, and each page costs a checksum, two "
    "writes and its part of a checkpoint."
)
_QUICK = f"Where the disk syncs in microseconds the work shows. {_FRAMES}"
BY_NAME = {
    "get, random keys": (
        "The hash check, the deadline and the count of accesses cost about three microseconds "
        "beside a read of seven; where SQLite's cache is too small for the file they hardly show."
    ),
    "closed gap, 30% explored": (
        "The gate: with ten rows of a seldom tried strategy the log rarely bears out at 95 % what "
        "models promise, and without the gate the worst scenario loses a tenth to four fifths of "
        "the gap. Where there are thirty strategies little is left to adopt, and in MAXSAT15 what "
        "was adopted did not hold. ADR 0037 has what each part costs."
    ),
    "closed gap, 10% explored": (
        "As at 30 %, with a third of the rows: most strategies were tried one to four times in a "
        "fold. Before the gate of now, which lets worlds without signal pass in 0 to 4 % instead "
        "of 22 to 66 %, the gap closed was twice as wide."
    ),
    "coverage, self-normalized": (
        "A ratio of two noisy sums, skewed where five to fifty rows count; no decision rests on "
        "it. The doubly robust estimate and the difference, which decide, hold."
    ),
    "TTL by": (
        "Not known for sure. Boosting, more features and other targets gained nothing on the "
        "practice traces, so that drift within the test is suspected: there the best fixed TTL of "
        "the past, to which a guard could return, is mostly worse still. The settings were chosen "
        "on the same traces. ADR 0038 has the figures."
    ),
    "tag query": (
        "Raw returns values. Ours returns whole records with labels, times and access counts, and "
        "reads every key that has the tag once more, because a sibling without it may be newer."
    ),
    "put, normal": (
        f"Nothing waits for the disk here, so the work itself shows. {_FRAMES} The rest is Python: "
        "names, policy, canonical JSON, hash, quota."
    ),
    "put, durable, new": _QUICK,
    "put, durable, replacing | raw": _QUICK,
    "put, durable, replacing | LangGraph as shipped": (
        "It syncs about four times per put and we sync once: the advantage is bounded by four on a "
        "slow disk, and on a fast one by our own work. Ten would need a put without an fsync."
    ),
    "put, durable, replacing | LangGraph with WAL": (
        "With WAL it syncs once per put as we do. It keeps no books; that is the difference."
    ),
    "put, durable, fsync of 2 ms | LangGraph as shipped": (
        "It syncs about four times per put and we sync once, so four is what there is to win."
    ),
    "put, durable, fsync of 2 ms | LangGraph with WAL": (
        "Both sync once per put; the difference is the books, a few percent of the wait."
    ),
    "put_many": (
        "The statements are not what costs: most of the time is Python per row (names, "
        "policy, canonical JSON, two hashes, dot, metadata). Raw's loop does one `dumps` per row."
    ),
    "sweep of 10 %": (
        "Planning states a reason for each row and costs a third of the time; applying writes a "
        "change log entry per row, which raw does not, and takes short locks, not one long one."
    ),
    "sweep, longest lock": (
        "The figure is a whole slice: it includes the wait for the fsync after the lock is free "
        "and a checkpoint of the WAL when one falls into it. The next slice is made smaller."
    ),
    "durable put, 8": (
        "Group commit saves fsyncs. On this disk an fsync costs less than the put itself, so there "
        "is nothing to save, and two cores bound the rest. See the slow disk for the other case."
    ),
    "import of 50 MB, plan": (
        "By hand the text is parsed and inserted as it is. Here each item is told apart by kind "
        "and version, its times are read in whatever form, it is written as canonical JSON, "
        "hashed, and held against the store, so that a second import changes nothing."
    ),
    "import of 50 MB, apply": (
        "The deed reads the source again and judges each item again, for what was pinned minutes "
        "ago may have changed: half of its time. The rest is a put: row, index, labels, totals, "
        "change number, audit."
    ),
    "task: ": (
        "The operation is that quick. A plan and its deed stay two tasks, for a person may read "
        "the one before the other, and a fault repeats only the half that it met."
    ),
    "prune, plan by performance, CPU": (
        "The scan of the rows with their bodies is a third, reading what patterns and decisions "
        "say of themselves another; the rest is the rules, the shields and the reason of each "
        "decision in words. All three strategies together read everything once."
    ),
    "prune, plan by space, CPU": (
        "As by performance: each record is read, shielded or not, and given a value before the "
        "first can go. Reading less would need columns for success and confidence in each row."
    ),
    "migrate 1.0.0 to 2.0.0": (
        "A third is the cast: JSON read, three steps, times in another form, canonical JSON again. "
        "A third is SQLite: a row and its index entry out and in, the WAL's checksums, a "
        "checkpoint. The rest is hash, labels and books. The original writes whole files, and "
        "keeps neither hash nor history nor a way back."
    ),
    "migrate, with a backup before": (
        "As above; the backup itself is a tenth of what the original took for both."
    ),
    "full backup, wall": (
        "restic works on both cores. Ours reads, checks, hashes and packs each record in Python on "
        "one, while the other compresses and stores; they wait for each other at the interpreter's "
        "lock. The CPU time is about the same."
    ),
    "restore into a new place": (
        "restic writes a file back, without an fsync. Ours builds a database from records: each is "
        "checked against its hash, inserted with its indexes, tags and totals, and read back, the "
        "pages are checked, and the file is synced. That is work per record, most of it in Python."
    ),
    "PostgreSQL put, durable": (
        "Two round trips (read under the lock, then write and commit) and several statements "
        "against one of each. Over loopback the work per statement decides."
    ),
    "message, ": (
        "Each of the three steps reads what it judges (lane, receipt, backlog, tries) and writes "
        "message, delivery, lane and inbox, each with its checksum, where raw writes one row. On a "
        "disk that syncs in microseconds that work shows; between runs it varies by a third."
    ),
    "PostgreSQL put_many": "As on SQLite: the time goes into Python per row, not into the server.",
}


def reason(name: str, against: str) -> str:
    """The longest entry that `name | against` begins with."""
    text = f"{name} | {against}"
    entries = [key for key in BY_NAME if text.startswith(key)]
    return BY_NAME[max(entries, key=len)] if entries else UNKNOWN
