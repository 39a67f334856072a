"""No password leaves through a parameter, a label or a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtend_flows.sweep import sweep
from memtend_tasks.address import PLAIN_PATTERN, check_plain, to_address
from memtend_tasks.errors import SecretInParameter
from memtend_tasks.place import shown

CANARY = "c4n4ry"
SECRET = (
    f"postgresql://ada:{CANARY}@db/memory",
    f"postgresql://db/memory?user=ada&password={CANARY}",
    f"s3://AKIA:{CANARY}@bucket/backups",
    f"https://{CANARY}@host/backups",
    f"memory#{CANARY}",
)
PLAIN = ("default", "prod", "/srv/memory.db", "sqlite:///memory.db", "postgresql://ada@db/memory")


@pytest.mark.parametrize("text", SECRET)
def test_a_credential_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(SecretInParameter) as refusal:
        check_plain(text)
    assert CANARY not in str(refusal.value)


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_address_is_taken_as_it_is(text: str) -> None:
    assert check_plain(text) == text


@pytest.mark.parametrize("text", SECRET)
def test_a_flow_refuses_before_prefect_hears_of_it(text: str) -> None:
    with pytest.raises(SecretInParameter):
        sweep.serialize_parameters({"store": text})


def test_the_form_knows_the_rule() -> None:
    """The server checks the schema before it creates a run."""
    assert sweep.parameters.properties["store"]["pattern"] == PLAIN_PATTERN


@given(st.from_regex(r"[A-Za-z0-9:@!$%^&*]{8,20}", fullmatch=True))
def test_what_is_shown_holds_no_password(password: str) -> None:
    assert shown(f"postgresql://ada:{password}@db/memory?x={password}") == "postgresql://db/memory"


@given(st.text(max_size=80))
def test_a_label_fits_every_name_that_prefect_takes(text: str) -> None:
    """Artifact keys know only lower-case letters, digits and dashes."""
    assert re.fullmatch(r"[a-z0-9-]{8,60}", to_address(text).label)


def test_one_place_has_one_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ways = ("memory.db", f"{tmp_path}/memory.db", f"sqlite:///{tmp_path}/memory.db")
    assert len({to_address(way).label for way in ways}) == 1
