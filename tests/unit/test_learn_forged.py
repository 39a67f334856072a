"""A forged file of estimators is refused before anything in it runs."""

from __future__ import annotations

import io
import operator
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import SGDClassifier

from memtend.errors import ModelRefused
from memtend.learn.boxes import boxed, unboxed
from memtend.learn.modelfile import unpack_estimators
from memtend.learn.skopsfile import read_estimators, write_estimators
from tests.unit.forging import (
    GOOD,
    X,
    Y,
    first,
    forgeries,
    replaced,
    schema_of,
    with_schema,
)

NAMES = sorted(forgeries(Path("canary")))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_forged_is_refused_and_nothing_of_it_runs(name: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    data = with_schema(replaced(forgeries(canary)[name]))
    with pytest.raises(ModelRefused):
        unpack_estimators(data)
    assert not canary.exists()


def test_skops_alone_would_read_more_than_we_wrote() -> None:
    """Why the list is ours: skops trusts all of scikit-learn by itself."""
    theirs = skops.io.dumps({"a": SGDClassifier().fit(X, Y[:, 0] > 0)})
    assert skops.io.get_untrusted_types(data=theirs) == []
    assert skops.io.loads(theirs)["a"].n_features_in_ == 4
    with pytest.raises(ModelRefused):
        read_estimators("x", theirs)


def test_what_we_would_not_read_is_not_written() -> None:
    for one in (SGDClassifier().fit(X, Y[:, 0] > 0), operator.itemgetter(0), {1, 2}):
        with pytest.raises(ModelRefused, match="to be made by"):
            write_estimators({"a": one})


@pytest.mark.parametrize("part", ["left_child", "right_child", "feature"])
def test_a_tree_that_leads_nowhere_is_refused(part: str) -> None:
    """scikit-learn would follow it out of its memory."""
    entries = unboxed("x", GOOD)
    name = first(schema_of(GOOD), "TreeNode")["content"]["content"]["nodes"]["file"]
    nodes = np.load(io.BytesIO(entries[name]))
    for value in (10**9, -7, 0):
        changed = nodes.copy()
        changed[part][0] = value
        if changed[part][0] == nodes[part][0]:
            continue
        out = io.BytesIO()
        np.save(out, changed)
        forged = boxed({**entries, name: out.getvalue()})
        if part == "feature" and value == 0:
            read_estimators("x", forged)
            continue
        with pytest.raises(ModelRefused, match="leads to"):
            read_estimators("x", forged)
