"""A Prefect server that somebody else runs: reached, or said to be out of reach.

Programs that change something on a server need one that was named. Without a name Prefect would
start one of its own, into which everything would go and be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import PrefectException, PrefectHTTPStatusError
from prefect.settings import get_current_settings

from memtend_tasks.errors import ServerMissing, ServerRefused
from memtend_tasks.place import shown


@contextmanager
def server() -> Iterator[SyncPrefectClient]:
    """A client of the server of PREFECT_API_URL. Raises `ServerMissing`, `ServerRefused`."""
    named = get_current_settings().api.url
    if named is None:
        raise ServerMissing(why="PREFECT_API_URL is not set")
    url = shown(named)  # which may hold a password
    try:
        with get_client(sync_client=True) as client:
            yield client
    except PrefectHTTPStatusError as error:
        why = f"{url} answered {error.response.status_code} to {error.request.url.path}"
        kind = ServerRefused if error.response.is_client_error else ServerMissing
        raise kind(why=why) from None
    except httpx.HTTPError as error:
        raise ServerMissing(why=f"{url}: {error or type(error).__name__}") from None
    except PrefectException as error:  # such as a thing that somebody else deletes meanwhile
        raise ServerMissing(why=f"{url}: {type(error).__name__}, {error}") from None
