"""What one process sets, the next write of every other process obeys."""

from __future__ import annotations

import pytest

from memtend import Memory
from memtend.errors import AccessDenied
from memtend.policies import load_policies


def test_a_revoked_grant_stops_the_next_write(lasting_url: str) -> None:
    with Memory.open(lasting_url) as owner, Memory.open(lasting_url, agent="ada") as ada:
        owner.config.grant("ada", "shared", "write", "owner")
        owner.config.grant("bob", "shared", "read", "owner")
        ada.put("shared", "k", 1)
        owner.config.revoke("ada", "shared", "owner")
        with pytest.raises(AccessDenied):
            ada.put("shared", "k", 2)
        with pytest.raises(AccessDenied):
            ada.delete("shared", "k")
        assert owner.get("shared", "k") == 1


def test_a_new_policy_governs_the_next_write(lasting_url: str) -> None:
    with Memory.open(lasting_url) as owner, Memory.open(lasting_url) as writer:
        writer.put("session/a", "before", 1)
        file = load_policies("namespaces: [{namespace: 'session/*', ttl: 1h}]")
        owner.config.set_policies(file, "owner")
        writer.put("session/a", "after", 1)
        before, after = writer.read("session/a", "before"), writer.read("session/a", "after")
        assert before is not None
        assert before.expires_at is None
        assert after is not None
        assert after.expires_at is not None
