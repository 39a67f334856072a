"""`memtend blocks init`: a name for addresses with passwords, which nobody sees again."""

from __future__ import annotations

from pathlib import Path

import pytest
from prefect.blocks.system import Secret

from memtend_flows import blocks
from memtend_tasks.address import resolve, resolve_key, resolve_peer

SECRET = "postgresql://memtend:hunter2@db.internal/memory"
OTHER = SECRET.replace("hunter2", "hunter3")


@pytest.fixture
def environment(prefect: None, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("MEMTEND_STORE_URL", SECRET)
    monkeypatch.setenv("MEMTEND_BACKUP_KEY", "correct horse battery staple")
    return monkeypatch


def test_flows_find_what_the_environment_said(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made once, found the second time, and another value takes a word."""
    assert blocks.main(["blue"]) == blocks.main(["blue"]) == 0
    assert resolve("blue", "store", "").url == SECRET
    key = resolve_key("blue")
    assert key is not None
    assert key.get_secret_value() == "correct horse battery staple"
    environment.setenv("MEMTEND_STORE_URL", OTHER)
    assert blocks.main(["blue"]) == 127
    assert resolve("blue", "store", "").url == SECRET
    assert blocks.main(["blue", "--replace"]) == 0
    assert resolve("blue", "store", "").url == OTHER
    said = capsys.readouterr()
    assert "memtend-store-blue" in said.out
    assert not any(word in said.out + said.err for word in ("hunter", "horse"))


@pytest.mark.parametrize("key", ["1e10", "true", '"in quotes"', "007"])
def test_a_key_is_what_was_given(environment: pytest.MonkeyPatch, key: str) -> None:
    """Also where it could be read as a number, and the backups would have another key."""
    environment.setenv("MEMTEND_BACKUP_KEY", key)
    assert blocks.main(["red", "--what", "key", "--replace"]) == 0
    found = resolve_key("red")
    assert found is not None
    assert found.get_secret_value() == key


def test_the_environment_gives_every_kind(environment: pytest.MonkeyPatch) -> None:
    for what, name in blocks.VARIABLES.items():
        if what != "key":  # whose other variable the fixture sets
            environment.setenv(name, f"/srv/{what}")
    assert blocks.main(["grey"]) == 0
    assert resolve("grey", "export", "").url == "/srv/export"
    assert resolve_peer("grey") == "/srv/peer"


def test_a_plan_makes_nothing(environment: pytest.MonkeyPatch) -> None:
    assert blocks.main(["green", "--plan"]) == 0
    with pytest.raises(ValueError, match="memtend-store-green"):
        Secret.load("memtend-store-green")


def test_a_file_and_a_prompt_give_the_rest(prefect: None, tmp_path: Path) -> None:
    """A prompt is asked for what the file does not say, and only for what is wanted."""
    file = tmp_path / "secrets"
    file.write_text(f'# of nobody\nexport MEMTEND_STORE_URL="{SECRET}"\nOTHER=x\n')
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return "s3://bucket/backups "

    arguments = ["red", "--what=store", "--what=backup", f"--from={file}"]
    wish = blocks.parser().parse_args(arguments, blocks.Wish())
    blocks.init(wish, answer)
    assert resolve("red", "store", "").url == SECRET
    assert resolve("red", "backup", "").url == "s3://bucket/backups"
    assert len(asked) == 1


def test_nothing_is_made_of_nothing(
    prefect: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One value that is missing, and none is made; a bad name and a bad file are named."""
    file = tmp_path / "secrets"
    file.write_text(f"MEMTEND_STORE_URL={SECRET}\n")
    assert blocks.main(["white", "--what=store", "--what=key", f"--from={file}"]) == 127
    with pytest.raises(ValueError, match="memtend-store-white"):
        Secret.load("memtend-store-white")
    assert blocks.main(["white"]) == 127
    assert blocks.main(["White!"]) == 127
    assert blocks.main(["white", f"--from={tmp_path}/none"]) == 19
    assert "hunter" not in capsys.readouterr().err
