"""Fitted estimators as skops files: one estimator, one text; and nothing but known types read.

skops writes memory addresses, which are taken out here, and trusts all of scikit-learn by itself,
which is more than our learners are made of: every node of a file is held against the exact list
below before skops sees it. The list says which loader may make which type. Trees are also walked,
since scikit-learn follows their children without looking.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from memtend.errors import ModelRefused
from memtend.learn.boxes import boxed, unboxed
from memtend.learn.npy import read_array
from memtend.limits_learning import MODEL_DEPTH_MAX, MODEL_NODES_MAX

_SCHEMA: Final = "schema.json"
_TREE: Final = "sklearn.tree._tree.Tree"
ESTIMATORS: Final = frozenset(
    {
        "sklearn.ensemble._forest.ExtraTreesRegressor",
        "sklearn.ensemble._forest.RandomForestRegressor",
        "sklearn.tree._classes.DecisionTreeRegressor",
        "sklearn.tree._classes.ExtraTreeRegressor",
    }
)
"""What our learners are made of. A learner of another kind adds its types here, and a test."""
_ALLOWED: Final = {
    "ObjectNode": ESTIMATORS,
    "TreeNode": frozenset({_TREE}),
    "DictNode": frozenset({"builtins.dict"}),
    "ListNode": frozenset({"builtins.list"}),
    "TupleNode": frozenset({"builtins.tuple"}),
    "TypeNode": frozenset({"builtins.str", "builtins.int"}),
    "JsonNode": frozenset({"builtins.str"}),
    "NdArrayNode": frozenset(
        {"numpy.ndarray", "numpy.float64", "numpy.float32", "numpy.int64", "numpy.bool"}
    ),
}
_PARTS: Final = frozenset(
    {"__class__", "__module__", "__loader__", "__reduce__", "content", "key_types", "type", "file",
     "is_json", "protocol", "_skops_version"}
)  # fmt: skip

Node = dict[str, Any]


def write_estimators(estimators: Mapping[str, Any]) -> bytes:
    """A skops file of them. Equal estimators, equal bytes."""
    import skops.io as skops  # noqa: PLC0415 — takes over a second

    with zipfile.ZipFile(io.BytesIO(skops.dumps(dict(estimators)))) as box:
        schema = orjson.loads(box.read(_SCHEMA))
        named: dict[str, str] = {}
        entries: dict[bytes, str] = {}
        for node in _nodes("model.skops", schema):
            node.pop("__id__", None)
            old = node.get("file")
            if old is not None:
                if old not in named:
                    content = box.read(old)
                    named[old] = entries.setdefault(content, f"{len(entries)}.npy")
                node["file"] = named[old]
    files = {name: content for content, name in entries.items()}
    written = json.dumps(schema, separators=(",", ":"), allow_nan=False).encode()
    data = boxed({_SCHEMA: written, **files})
    audit("model.skops", data)
    return data


def read_estimators(name: str, data: bytes) -> dict[str, Any]:
    """Raises `ModelRefused` before anything in the file runs."""
    audit(name, data)
    import skops.io as skops  # noqa: PLC0415
    from skops.io.exceptions import UntrustedTypesFoundException  # noqa: PLC0415

    try:
        found = skops.loads(data, trusted=[*sorted(ESTIMATORS), _TREE])
    except (
        UntrustedTypesFoundException,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
    ) as error:
        raise ModelRefused(name=name, why=f"skops does not read it ({error})") from error
    if not isinstance(found, dict):
        raise ModelRefused(name=name, why="it holds no estimators by name")
    return found


def audit(name: str, data: bytes) -> None:
    """Raises `ModelRefused` for all that `write_estimators` would not have written."""
    entries = unboxed(name, data)
    text = entries.pop(_SCHEMA, None)
    if text is None:
        raise ModelRefused(name=name, why=f"it has no {_SCHEMA}")
    try:
        schema = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ModelRefused(name=name, why=f"its {_SCHEMA} is no JSON") from error
    used = set()
    for node in _nodes(name, schema):
        _look(name, node)
        if "file" in node:
            used.add(node["file"])
    if used != set(entries):
        raise ModelRefused(name=name, why="its arrays are not those that it names")
    trees = [node for node in _nodes(name, schema) if node["__loader__"] == "TreeNode"]
    records = {_file_of(name, tree, "nodes") for tree in trees}
    arrays = {
        entry: read_array(
            f"{name}/{entry}",
            content,
            record=_node_dtype() if entry in records else None,
            columns_first=True,
        )
        for entry, content in entries.items()
    }
    for tree in trees:
        _walkable(name, tree, arrays)


def _nodes(name: str, schema: object) -> Iterator[Node]:
    """Every object that says which loader makes it; others hold nothing but such objects."""
    waiting: list[tuple[object, int]] = [(schema, 0)]
    count = 0
    while waiting:
        found, depth = waiting.pop()
        count += 1
        if count > MODEL_NODES_MAX or depth > MODEL_DEPTH_MAX:
            raise ModelRefused(name=name, why="its description is too large or nests too deep")
        if isinstance(found, dict):
            if "__loader__" in found:
                yield found
            waiting += [(value, depth + 1) for value in reversed(list(found.values()))]
        elif isinstance(found, list):
            waiting += [(value, depth + 1) for value in reversed(found)]


def _look(name: str, node: Node) -> None:
    loader, kind = node["__loader__"], f"{node.get('__module__')}.{node.get('__class__')}"
    if not isinstance(loader, str) or kind not in _ALLOWED.get(loader, ()):
        raise ModelRefused(name=name, why=f"it holds a {kind[:100]!r} to be made by {loader!r}")
    if not node.keys() <= _PARTS:
        raise ModelRefused(name=name, why="a part of its description is not known")
    content: Any = node.get("content")
    wrong = False
    if loader in {"ObjectNode", "TreeNode"}:
        wrong = _loader(content) != "DictNode"
    elif loader == "DictNode":
        wrong = not isinstance(content, dict) or _loader(node.get("key_types")) != "ListNode"
        wrong = wrong or not all(map(_loader, content.values()))
    elif loader in {"ListNode", "TupleNode"}:
        wrong = not isinstance(content, list) or not all(map(_loader, content))
    elif loader == "JsonNode":
        wrong = not isinstance(content, str)
    elif loader == "NdArrayNode":
        wrong = node.get("type") != "numpy" or not isinstance(node.get("file"), str)
    if "__reduce__" in node:
        args = node["__reduce__"].get("args") if isinstance(node["__reduce__"], dict) else None
        wrong = wrong or loader != "TreeNode" or _loader(args) != "TupleNode"
    if wrong or ("file" in node) != (loader == "NdArrayNode"):
        raise ModelRefused(name=name, why=f"a {loader} is not of its form")


def _loader(node: object) -> str | None:
    return str(node["__loader__"]) if isinstance(node, dict) and "__loader__" in node else None


def _file_of(name: str, tree: Node, part: str) -> str:
    try:
        return str(tree["content"]["content"][part]["file"])
    except (KeyError, TypeError):
        raise ModelRefused(name=name, why="a tree is not of its form") from None


def _walkable(name: str, tree: Node, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Every child comes after its parent and is there, every feature exists."""
    nodes = arrays[_file_of(name, tree, "nodes")]
    values = arrays[_file_of(name, tree, "values")]
    try:
        features, classes, outputs = tree["__reduce__"]["args"]["content"]
        n_features, n_outputs = json.loads(features["content"]), json.loads(outputs["content"])
        n_classes = arrays[classes["file"]]
    except (KeyError, TypeError, ValueError):
        raise ModelRefused(name=name, why="a tree is not of its form") from None
    count = len(nodes) if nodes.ndim == 1 else 0
    fits = (
        nodes.dtype == _node_dtype()
        and count > 0
        and type(n_features) is int
        and type(n_outputs) is int
        and n_classes.shape == (n_outputs,)
        and n_classes.dtype == np.int64
        and values.dtype == np.float64
        and values.shape == (count, n_outputs, int(n_classes.max(initial=1)))
    )
    if fits:
        left, right, feature = (nodes[part] for part in ("left_child", "right_child", "feature"))
        own = np.arange(count)
        leaf = (left == -1) & (right == -1)
        inner = (left > own) & (left < count) & (right > own) & (right < count)
        fits = bool((leaf | (inner & (feature >= 0) & (feature < n_features))).all())
    if not fits:
        raise ModelRefused(name=name, why="a tree leads to what is not there")


def _node_dtype() -> np.dtype[Any]:
    from sklearn.tree._tree import NODE_DTYPE  # noqa: PLC0415

    found: np.dtype[Any] = NODE_DTYPE
    return found
