"""Random histories of two, three or five replicas, run against the model: what each step does."""

from __future__ import annotations

import random
from typing import Any, Final

from memtend.crdt import rows, tally
from memtend.crdt.rows import Reading, Sibling
from memtend.crdt.tally import Epoch
from memtend.limits import SWEEP_MARGIN_MS
from tests.laws.deltas import pages_of
from tests.laws.model import Model, Write
from tests.laws.replica import COUNTER, Counts, Rules
from tests.laws.scripts import Diverged, Step
from tests.laws.world import FAST_MS, KEYS, World

TTLS_MS: Final = (None, None, 10_000, 100_000)
TICKS_MS: Final = (1, 1_000, 20_000, 70_000)


class History(World):
    """Each step is done to a replica and to its model."""

    def do_put(self, i: int, j: int, n: int) -> None:
        self._put(i, KEYS[j % 3], TTLS_MS[n % 4], None)

    def do_put_ctx(self, i: int, j: int, n: int) -> None:
        self._put(i, KEYS[j % 3], TTLS_MS[n % 4], self.nodes[i].read)

    def do_read(self, i: int, _j: int, _n: int) -> None:
        node = self.nodes[i]
        node.read = dict(node.replica.seen), node.model.copy()

    def do_delete(self, i: int, j: int, _n: int) -> None:
        self._delete(i, KEYS[j % 3], None)

    def do_delete_ctx(self, i: int, j: int, _n: int) -> None:
        self._delete(i, KEYS[j % 3], self.nodes[i].read)

    def do_touch(self, i: int, j: int, n: int) -> None:
        siblings = self.nodes[i].replica.at(KEYS[j % 3])
        shown = rows.visible(siblings, Reading.LWW, self.now_ms(i))
        if shown:
            self._put(i, KEYS[j % 3], TTLS_MS[n % 4], None, shown[0].text)

    def do_inc(self, i: int, _j: int, n: int) -> None:
        node, by = self.nodes[i], (n % 7) - 2 or 5
        alive = node.model.at(COUNTER)
        self._grown(i, node.replica.increment(by, TTLS_MS[n % 4], self.now_ms(i)), alive, by)

    def _grown(self, i: int, new: Sibling, alive: list[Write], by: int) -> None:
        node = self.nodes[i]
        fresh = all(w.is_past(self.now_ms(i)) for w in alive)
        epoch = tally.Part.of(new.text).epoch if fresh else max(w.epoch for w in alive)
        own = [w for w in alive if w.owner == node.replica.id]
        before = 0 if fresh else sum(w.total for w in own if w.epoch == epoch)
        write = self._write(i, COUNTER, new)
        write = write._replace(epoch=epoch, total=before + by)
        node.model.write(write, alive if fresh else own)

    def do_reset(self, i: int, _j: int, n: int) -> None:
        node = self.nodes[i]
        alive = node.model.at(COUNTER)
        start = n % 3
        new = node.replica.reset(TTLS_MS[n % 4], self.now_ms(i), start)
        write = self._write(i, COUNTER, new)
        epoch = self.epoch_of_reset(new, alive)
        node.model.write(write._replace(epoch=epoch, total=start), alive)

    def epoch_of_reset(self, new: Sibling, _alive: list[Write]) -> Epoch:
        return Epoch(new.hlc, new.dot.replica)

    def do_sync(self, i: int, j: int, n: int) -> None:
        j = self.other(j)
        self.sync(i, j)
        if n % 2:
            self.sync(j, i)

    def do_send(self, i: int, j: int, n: int) -> None:
        """A message that is delivered later, more than once, to somebody else, or never."""
        known = self.nodes[self.other(j)].replica.seen
        delta = self.nodes[i].replica.delta(known, self.now_ms(i), full=n % 3 == 0)
        self.messages.append((delta, self.nodes[i].model.copy()))

    def do_deliver(self, i: int, _j: int, n: int) -> None:
        if self.messages:
            self.hear(i, *self.messages[-1 - n % len(self.messages)])

    def do_pages(self, i: int, j: int, n: int) -> None:
        """The pages of a message: some lost, some twice, in any order, with those of another."""
        if not self.messages:
            return
        delta, model = self.messages[-1 - n % len(self.messages)]
        stray, _ = self.messages[-1 - j % len(self.messages)]
        pages = self.pages(delta)
        dice = random.Random(n)
        dice.shuffle(pages)
        pages += dice.choices(pages, k=dice.randrange(2))
        if n % 3 == 1:
            del pages[: dice.randint(1, len(pages))]
        elif n % 3 == 2 and len(pages) > 1:
            pages[0] = dice.choice(self.pages(stray))
        replica = self.nodes[i].replica
        self.heard(i, delta, model, lambda: replica.apply_pages(pages, self.now_ms(i)))

    def pages(self, delta: Any) -> list[Any]:
        return list(pages_of(delta))

    def do_tick(self, _i: int, _j: int, n: int) -> None:
        self.clock_ms += TICKS_MS[n % 4]

    def do_fast(self, i: int, _j: int, _n: int) -> None:
        """A clock that others must not believe from now on."""
        self.nodes[i].skew_ms = FAST_MS

    def do_sweep(self, i: int, _j: int, _n: int) -> None:
        node, now_ms = self.nodes[i], self.now_ms(i)
        heard_ms = node.replica.heard_ms(now_ms)
        node.replica.sweep(now_ms)
        self._model_sweep(i, now_ms, heard_ms)

    def _model_sweep(self, i: int, now_ms: int, heard_ms: int) -> None:
        for key in (*self.keys, COUNTER):
            self.nodes[i].model.sweep(key, now_ms, together=key == COUNTER, heard_ms=heard_ms)

    def do_edge(self, i: int, _j: int, n: int) -> None:
        """Sweep at, or one tick before, the first moment at which something may go."""
        replica = self.nodes[i].replica
        siblings = [s for key in (*self.keys, COUNTER) for s in replica.at(key)]
        edges = [s.exp_ms + SWEEP_MARGIN_MS for s in siblings if s.exp_ms is not None]
        later = [edge for edge in edges if edge > self.now_ms(i) + 1]
        if later:
            self.clock_ms = min(later) - self.nodes[i].skew_ms - n % 2
            self.do_sweep(i, 0, 0)

    def do_drop_log(self, i: int, _j: int, _n: int) -> None:
        self.nodes[i].replica.drop_log()

    def do_backup(self, i: int, _j: int, _n: int) -> None:
        node = self.nodes[i]
        node.backup = node.replica.copy(node.replica.id), node.model.copy()

    def do_restore(self, i: int, j: int, n: int) -> None:
        """From its own backup or from another's; a backup may be restored more than once."""
        source = self.nodes[self.other(j) if n % 4 == 0 else i]
        if source.backup is not None:
            self.begin_again(i, *source.backup)

    def do_clone(self, i: int, j: int, _n: int) -> None:
        """Its file is lost, and a copy of another's takes its place."""
        source = self.nodes[self.other(j)]
        self.begin_again(i, source.replica, source.model)

    def do_retire(self, i: int, j: int, n: int) -> None:
        """Nobody waits for ended lines of history; sometimes for a living one neither."""
        node, living = self.nodes[i], {other.replica.id for other in self.nodes}
        silent = self.ids - living
        if n % 3 == 0:
            silent |= {self.nodes[self.other(j)].replica.id} - {node.replica.id}
        for peer in silent:
            node.replica.retire(peer)

    def do_rejoin(self, i: int, j: int, _n: int) -> None:
        node = self.nodes[i]
        offered = node.replica.rejoin(
            self.nodes[self.other(j)].replica.seen, self.fresh_id(), self.now_ms(i)
        )
        for old, new in offered:
            known = [
                w for key in (*self.keys, COUNTER) for w in node.model.at(key) if w.dot == old.dot
            ]
            if not known:
                raise Diverged(f"replica {i} offers {old}, which the model does not hold")
            self.numbers += 1
            again = known[0]._replace(number=self.numbers, owner=node.replica.id, dot=new.dot)
            node.model.write(again, known)
        self.ids.add(node.replica.id)
        node.read = None

    def begin_again(self, i: int, replica: Any, model: Model) -> None:
        node = self.nodes[i]
        new_id = self.rules.id_after_restore(replica.id, self.fresh_id())
        self.ids.add(new_id)
        node.replica, node.model, node.read = replica.copy(new_id), model.copy(), None

    def _put(
        self,
        i: int,
        key: str,
        ttl_ms: int | None,
        read: tuple[Counts, Model] | None,
        text: bytes | None = None,
    ) -> None:
        node, alive = self.nodes[i], self.nodes[i].model.at(key)
        value = b"%d" % (self.numbers + 1) if text is None else text
        context = None if read is None else read[0]
        new = node.replica.put(key, value, ttl_ms, self.now_ms(i), context)
        write = self._write(i, key, new)._replace(text=value)
        node.model.write(write, [w for w in alive if read is None or w in read[1].writes])

    def _delete(self, i: int, key: str, read: tuple[Counts, Model] | None) -> None:
        node = self.nodes[i]
        gone = [w for w in node.model.at(key) if read is None or w in read[1].writes]
        if node.replica.delete(key, self.now_ms(i), None if read is None else read[0]):
            node.model.undone.update(gone)

    def _write(self, i: int, key: str, new: Sibling) -> Write:
        self.numbers += 1
        owner = self.nodes[i].replica.id
        return Write(self.numbers, key, owner, new.hlc, new.exp_ms, dot=new.dot)


def check(steps: list[Step], rules: Rules, replicas: int = 3) -> None:
    """Run a history and let everybody hear everybody; raises `Diverged`."""
    world = History(rules, replicas)
    for step in steps:
        world.run(step)
    world.settle()
