"""The models in use in a store, as its agents ask them: loaded when first asked, and kept.

Whether another one is in use by now is looked at every few seconds, so a promotion reaches running
agents without a word to them, and so does a rollback. Nothing here fits anything or imports what
does. A model whose files are missing or altered is refused with the reason, and tried again later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from memtend.agent.recommending import PastCase, Reason, Recommended
from memtend.errors import MemtendError
from memtend.errors.learning import learn_packages
from memtend.limits_learning import MODEL_LOOK_MS, MODEL_RETRY_MS
from memtend.model.learned import SERVED
from memtend.model.scenario import applicable

if TYPE_CHECKING:
    from memtend.learn.advice import Advice as Told
    from memtend.learn.served import ServedRecommender
    from memtend.model.learned import ModelEntry
    from memtend.store.store import Store

_NS: Final = 1_000_000
_live: WeakKeyDictionary[Store, ModelsInUse] = WeakKeyDictionary()


class ModelsInUse:
    """Those of one store, shared by all agents of this process.

    Without locks, so that a fork finds none taken: what two threads do at once is done twice, and
    harmless.
    """

    def __init__(self) -> None:
        self._looked_ns: int | None = None
        self._used: Mapping[str, ModelEntry] = {}
        self._loaded: dict[str, ServedRecommender] = {}
        self._failed: dict[str, tuple[int, MemtendError]] = {}

    @classmethod
    def of(cls, store: Store) -> ModelsInUse:
        return _live.setdefault(store, cls())

    def look_again(self) -> None:
        """At the next question, see which models are in use."""
        self._looked_ns = None

    def find(
        self, store: Store, scenarios: tuple[str, ...]
    ) -> tuple[ModelEntry, ServedRecommender] | None:
        """The first of these scenarios that has a model in use; raises what keeps it from use."""
        used = self._look(store)
        entry = next((used[name] for name in scenarios if name in used), None)
        return None if entry is None else (entry, self._load(store, entry))

    def _look(self, store: Store) -> Mapping[str, ModelEntry]:
        now_ns, looked_ns = store.clock.monotonic_ns(), self._looked_ns
        if looked_ns is None or now_ns - looked_ns >= MODEL_LOOK_MS * _NS:
            from memtend.store import models  # noqa: PLC0415

            self._used = models.in_use(store)
            self._looked_ns = now_ns
            known = {one.model_id for one in self._used.values()}
            self._loaded = {name: one for name, one in self._loaded.items() if name in known}
            self._failed = {name: one for name, one in self._failed.items() if name in known}
        return self._used

    def _load(self, store: Store, entry: ModelEntry) -> ServedRecommender:
        found = self._loaded.get(entry.model_id)
        if found is not None:
            return found
        now_ns = store.clock.monotonic_ns()
        failed = self._failed.get(entry.model_id)
        if failed is not None and now_ns - failed[0] < MODEL_RETRY_MS * _NS:
            raise failed[1]
        try:
            found = self._loaded[entry.model_id] = load(store, entry)
        except MemtendError as error:
            self._failed[entry.model_id] = (now_ns, error)
            raise
        self._failed.pop(entry.model_id, None)
        return found


def load(store: Store, entry: ModelEntry) -> ServedRecommender:
    """Raises `ModelDamaged`, `ModelRefused`, `LearnPackageMissing`, or what the target raises."""
    from memtend.modelfiles import files_of  # noqa: PLC0415

    with learn_packages():
        from memtend.learn.modelfile import unpack_served  # noqa: PLC0415
    data = files_of(store).read(entry, SERVED)
    return unpack_served(data)


class LiveRecommender:
    """As an agent of one swarm asks: the model of its task type, else of its swarm, else of all."""

    def __init__(
        self, store: Store, swarm: str | None, agent: str | None = None, *, explain: bool = False
    ) -> None:
        self._store = store
        self._explain = explain
        self._swarm = swarm
        self._agents = () if agent is None else (agent,)

    def recommend(self, task_type: str | None, context: Mapping[str, Any]) -> Recommended | None:
        found = ModelsInUse.of(self._store).find(self._store, applicable(task_type, self._swarm))
        if found is None:
            return None
        entry, served = found
        clock = self._store.clock
        told = served.recommend(
            task_type or "", context, draw=draw_of(clock.new_id()), agents=self._agents,
            at_ms=clock.now_ms(), explain=self._explain,
        )  # fmt: skip
        return recommended(entry.model_id, told)


def draw_of(random_id: str) -> float:
    """A number from 0 up to 1 out of the random digits of an id."""
    return int(random_id[:13], 16) / 16**13


def recommended(model_id: str, told: Told) -> Recommended:
    """In the words of an agent's memory."""
    likely = told.success
    return Recommended(
        strategy=told.strategy,
        propensity=told.propensity,
        expected_success=likely.value if likely else None,
        success_low=likely.low if likely else None,
        success_high=likely.high if likely else None,
        alternatives=tuple(one.strategy for one in told.alternatives),
        learned=told.learned,
        explored=told.explored,
        model=model_id,
        reasons=tuple(
            Reason(field=one.field, value=one.value, effect=one.effect) for one in told.reasons
        ),
        cases=tuple(
            PastCase(case=one.case, strategy=one.strategy, success=one.success, alike=one.alike)
            for one in told.cases
        ),
        why=told.why,
    )
