"""What every task has in common: nothing cached, transient faults retried, hints kept.

A cached result of an operation on a store would be a lie about the store. A permanent error is
tried once. The hint joins the message because the message is all that Prefect's UI shows of an
exception.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import exponential_backoff

from memtend.errors import LeaseHeld, MemtendError
from memtend.limits import TASK_RETRIES, TASK_RETRY_BASE_S, TASK_RETRY_JITTER
from memtend_tasks.patience import patient

P = ParamSpec("P")
R = TypeVar("R")


def memory_task(function: Callable[P, R]) -> Task[P, R]:
    """A Prefect task named after what `function` does."""
    return Task(
        fn=explained(patient(function)),
        name=function.__name__.replace("_", " "),
        cache_policy=NO_CACHE,
        retries=TASK_RETRIES,
        retry_delay_seconds=exponential_backoff(backoff_factor=TASK_RETRY_BASE_S),
        retry_jitter_factor=TASK_RETRY_JITTER,
        retry_condition_fn=is_transient,
    )


def explained(function: Callable[P, R]) -> Callable[P, R]:
    """The same function; its errors leave it with their hint in the message."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except MemtendError as error:
            raise with_hint(error) from None

    return wrapper


def is_transient(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether the same call may succeed later without anybody changing anything.

    A lease that is held at the end of `patient`'s wait is held by somebody who lives.
    """
    fault = state.result(raise_on_failure=False)
    return isinstance(fault, MemtendError) and fault.transient and not isinstance(fault, LeaseHeld)


def with_hint(error: MemtendError) -> MemtendError:
    """The same error, saying what to do next. Saying it twice changes nothing."""
    hint = f"HINT: {error.hint}"
    if hint not in str(error):
        error.args = (f"{error}\n{hint}",)
    return error
