"""Several processes for one run: a Dask cluster made for it, or one that is there.

`workers` 0 is this process and needs nothing. From 1 on, so many processes are started on this
machine and end with the run; they talk over TLS with a certificate made for the run, so that
nobody else on the machine can give them work. Where MEMTEND_DASK_ADDRESS names a scheduler, its
workers are used instead: as many pieces are made as for `workers` of them.

What is given to a worker must do no harm when it is done twice: a worker that dies is replaced,
and the piece begun again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from prefect import Task

from memtend.errors import MemtendError
from memtend.limits_upkeep import WORKERS_WAIT_S
from memtend.settings import Settings
from memtend_tasks.errors import WorkersUnusable

if TYPE_CHECKING:
    from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture

R = TypeVar("R")


class Crew:
    """Who does the work of a run. `processes` is 1 where it is this process alone."""

    def __init__(self, runner: DaskTaskRunner | None, processes: int) -> None:
        self._runner = runner
        self.processes = processes

    def submit(self, task: Task[..., R], calls: Sequence[Mapping[str, Any]]) -> Begun[R]:
        """Begin one run of `task` for each of `calls`, its arguments by name. Where there is
        nobody else, they are begun when their results are asked for, one after another."""
        if self._runner is None:
            return Begun([], task, calls)
        return Begun([self._runner.submit(task, dict(call)) for call in calls], task, ())


class Begun(Generic[R]):
    """Runs of a task that are under way, or due."""

    def __init__(
        self,
        futures: Sequence[PrefectDaskFuture[R]],
        task: Task[..., R],
        due: Sequence[Mapping[str, Any]],
    ) -> None:
        self._futures = futures
        self._task = task
        self._due = due

    def results(self, step: Callable[[str], None] | None = None) -> list[R]:
        """In the order of the calls; `step` is told of each. The first error is raised when all
        others have ended, so that nothing is still at work for a run that has failed."""
        return sound(self.ended(step))

    def ended(self, step: Callable[[str], None] | None = None) -> list[R | MemtendError]:
        """The result of each call, or the error of ours that it ended with."""
        here = [partial(self._task, **call) for call in self._due]
        there = [partial(_result, future) for future in self._futures]
        found: list[R | MemtendError] = []
        for number, work in enumerate([*here, *there], 1):
            found.append(_ended(work))
            if step is not None:
                step(f"part {number} of {len(here) + len(there)}")
        return found


def sound(ended: Sequence[R | MemtendError]) -> list[R]:
    """The results; raises the first error that is among them."""
    found: list[R] = []
    for one in ended:
        if isinstance(one, MemtendError):
            raise one
        found.append(one)
    return found


def _ended(work: Callable[[], R]) -> R | MemtendError:
    try:
        return work()
    except MemtendError as error:
        return error


def _result(future: PrefectDaskFuture[Any]) -> Any:
    # What a task raises comes as a state: an error of the future is Dask's own.
    lost = future.wrapped_future.exception()
    if lost is not None:
        raise WorkersUnusable(why=_line(lost)) from lost
    return future.result()


@contextmanager
def wide(workers: int) -> Iterator[Crew]:
    """Start what is needed for `workers` processes, and end it on the way out."""
    if not workers:
        yield Crew(None, 1)
        return
    with ExitStack() as stack:
        runner = _runner(workers)
        try:
            with _closed_to_others():
                stack.enter_context(runner).client.wait_for_workers(1, timeout=WORKERS_WAIT_S)
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            # TypeError is what is said of tls:// without certificates, ValueError of what is no
            # address.
            raise WorkersUnusable(why=_line(error)) from error
        yield Crew(runner, workers)


def _runner(workers: int) -> DaskTaskRunner:
    try:
        from distributed.security import Security  # noqa: PLC0415 - only where it is wanted
        from prefect_dask import DaskTaskRunner  # noqa: PLC0415
    except ImportError as error:
        raise WorkersUnusable(why=f"{error.name} is not installed") from None
    address = Settings().dask_address
    if address is not None:
        return DaskTaskRunner(address=address)
    cluster = {
        "n_workers": workers,
        "threads_per_worker": 1,
        "processes": True,
        "memory_limit": 0,  # what the operations hold is bounded by themselves
        "security": Security.temporary(),
        "dashboard_address": None,
        "scheduler_kwargs": {"dashboard_address": "127.0.0.1:0"},  # any port: others have theirs
    }
    return DaskTaskRunner(cluster_kwargs=cluster)


@contextmanager
def _closed_to_others() -> Iterator[None]:
    """What starts meanwhile tells nobody over HTTP what it does, and its log only what is wrong:
    a scheduler lists its work, and its workers' logs, to whoever asks on this machine."""
    import dask  # noqa: PLC0415 - only where it is wanted

    logging.getLogger("distributed").setLevel(logging.WARNING)
    quiet: dict[str, object] = {
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "warning",
    }
    with dask.config.set(quiet):
        yield


def _line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
