"""The runner of documentation examples, which nothing else would catch passing everything."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from sybil import Document, Sybil
from sybil.parsers.markdown import CodeBlockParser

from tests.docs.examples import Command, commands, run_console


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: str) -> None:
    """Write a page with one console block and run it, without needing the product."""
    program = tmp_path / "memtend"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(
        "tests.docs.examples.environment", lambda: {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    )
    page = tmp_path / "page.md"
    page.write_text(f"```console\n{dedent(block)}```\n")
    document: Document = Sybil([CodeBlockParser("console", run_console)]).parse(page)
    for example in document.examples():
        example.evaluate()


def test_a_block_is_split_into_commands_and_what_they_print() -> None:
    """Lines that begin with `> ` belong to the command above, the rest is output."""
    block = "$ one \\\n> two\nout\nput\n$ three\n"
    assert list(commands(block)) == [Command("one \\\ntwo", "out\nput"), Command("three", "")]


@pytest.mark.parametrize(
    "block",
    [
        "$ memtend a   b\na b\n",
        "$ memtend a b c\na … c\n",
        "$ memtend x\nx\n$ false\n$ echo $?\n1\n",
        "$ make nothing\nnever run\n",
    ],
)
def test_what_is_true_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: str) -> None:
    """White space and `…` are loose, a reported failure is not a failure, `make` is not run."""
    run(tmp_path, monkeypatch, block)


@pytest.mark.parametrize(
    "block",
    [
        "$ memtend a\nb\n",
        "$ memtend a\n",
        "$ memtend a\na\n$ false\n",
        "$ memtend x\nx\n$ echo\nz\n",
    ],
)
def test_what_is_false_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: str) -> None:
    """Other output, missing output and an exit status nobody mentions fail the page."""
    with pytest.raises(AssertionError):
        run(tmp_path, monkeypatch, block)
