"""What takes long begins first, and what shares a server stays together."""

from __future__ import annotations

from tests.sharing import order_of, piece


def test_pieces_are_files_and_flows_are_one() -> None:
    assert piece("tests/unit/test_a.py::test_x[a::b]") == "tests/unit/test_a.py"
    assert piece("tests/flows/test_a.py::test_x") == piece("tests/flows/test_b.py::test_y")


def test_the_long_come_first_then_those_of_many_tests() -> None:
    nodeids = [
        "tests/unit/test_few.py::test_1",
        "tests/unit/test_many.py::test_1",
        "tests/unit/test_many.py::test_2",
        "tests/laws/test_types.py::test_1",
        "tests/laws/test_sql_sqlite.py::test_2",
        "tests/ui/test_ui.py::test_2",
        "tests/flows/test_b.py::test_1",
        "tests/ui/test_ui.py::test_1",
        "tests/flows/test_a.py::test_1",
    ]
    found = sorted(nodeids, key=order_of(nodeids))
    assert [nodeid.split("/")[-1] for nodeid in found] == [
        "test_b.py::test_1",
        "test_a.py::test_1",
        "test_ui.py::test_2",
        "test_ui.py::test_1",
        "test_sql_sqlite.py::test_2",
        "test_types.py::test_1",
        "test_many.py::test_1",
        "test_many.py::test_2",
        "test_few.py::test_1",
    ]
