"""`memtend metrics` and `memtend top` as an operator meets them."""

from __future__ import annotations

import os
import pty
import select
import signal
import socket
import subprocess
import sys
import termios
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from memtend.cli import metrics_serve
from memtend.cli.metrics_serve import serve
from memtend.cli.top_view import Shot, view
from memtend.errors import ListenRefused, StoreBusy
from memtend.metrics.catalogue import figure
from memtend.model.latency import OpLatency
from tests.fixtures.cli import Cli

MEMTEND = [sys.executable, "-m", "memtend.cli"]


# metrics


def test_the_text_is_what_prometheus_reads(cli: Cli) -> None:
    cli("put", "notes", "k", '{"n": 1}')
    text = cli("metrics").out
    found = {one.name: one.samples for one in text_string_to_metric_families(text)}
    assert found["memtend_records"][0].value == 1
    assert found["memtend_namespace_records"][0].labels == {"namespace": "notes"}


def test_json_tells_series_labels_and_values(cli: Cli) -> None:
    cli("put", "notes", "k", "1")
    found = {one["series"]: one for one in cli("metrics", "--json").json}
    one = found['memtend_namespace_records{namespace="notes"}']
    assert (one["labels"], one["value"]) == ({"namespace": "notes"}, 1)


def test_a_textfile_is_written_at_one_stroke(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "memtend.prom"
    path.write_text("old")
    assert cli("metrics", "--textfile", path).status == 0
    assert "memtend_records 0.0" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_textfile_without_a_folder_leaves_nothing(cli: Cli, tmp_path: Path) -> None:
    ran = cli("metrics", "--textfile", tmp_path / "none" / "x.prom")
    assert (ran.status, f"{tmp_path}/none/x.prom\n" in ran.told) == (1, True)
    assert not (tmp_path / "none").exists()


def test_a_textfile_takes_the_place_of_files_only(cli: Cli, tmp_path: Path) -> None:
    """A root who writes to /dev/null must not be left without it."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("there.prom")
    assert cli("metrics", "--textfile", "pipe").status == 2
    assert cli("metrics", "--textfile", ".").status == 2
    assert (tmp_path / "pipe").is_fifo()
    assert cli("metrics", "--textfile", "link").status == 0
    assert (tmp_path / "link").is_symlink()
    assert "memtend_records" in (tmp_path / "there.prom").read_text()


def test_recording_prints_nothing_but_talk(cli: Cli) -> None:
    ran = cli("metrics", "--record")
    assert (ran.status, ran.out) == (0, "")
    assert "figures kept" in ran.told


def test_recording_keeps_the_score_of_health(cli: Cli) -> None:
    """Whoever runs no flows has a history of it as well."""
    for more in ((), ("--target", "none")):
        assert cli("metrics", "--record", *more).status == 0
    found = {one["series"]: one["value"] for one in cli("metrics", "--json").json}
    score = cli("health", "--target", "none", "--json").json["score"]
    assert found["memtend_health_score"] == score < 100
    assert cli("report").status == 0
    assert f"{score} of 100 when it was last recorded" in Path("memtend-report.html").read_text()


# listening


def answered(url: str, method: str = "GET") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def served(request: pytest.FixtureRequest) -> Callable[[Callable[[], bytes]], str]:
    """Serves what a function renders until the test ends; the address of the figures."""

    def start(render: Callable[[], bytes]) -> str:
        ended, ready, urls = Event(), Event(), list[str]()

        def listening(url: str) -> None:
            urls.append(url)
            ready.set()

        arguments = ("127.0.0.1:0", render, "text/plain", ended, listening)
        thread = Thread(target=serve, args=arguments)
        thread.start()

        def stop() -> None:
            ended.set()
            thread.join()

        request.addfinalizer(stop)
        assert ready.wait(10)
        return urls[0]

    return start


def test_a_scrape_gets_the_figures_and_nothing_else(
    served: Callable[[Callable[[], bytes]], str],
) -> None:
    url = served(lambda: b"memtend_records 1.0\n")
    assert answered(url) == (200, "memtend_records 1.0\n")
    assert answered(url, "HEAD") == (200, "")
    assert answered(url.replace("/metrics", "/"))[0] == 404
    assert answered(url.replace("/metrics", "/../../etc/passwd"))[0] == 404
    assert answered(url, "POST")[0] == 501


def test_a_store_that_is_busy_is_told_and_tried_again(
    served: Callable[[Callable[[], bytes]], str],
) -> None:
    answers = [b"later\n"]

    def render() -> bytes:
        if answers:
            return answers.pop()
        raise StoreBusy(url="x", waited_s=1, why="it is")

    url = served(render)
    assert [answered(url)[0] for _ in range(2)] == [200, 503]


def test_a_caller_that_hangs_up_stops_nobody(
    served: Callable[[Callable[[], bytes]], str],
) -> None:
    url = served(lambda: b"x" * 1_000_000)
    port = int(url.rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as caller:
        caller.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
    assert answered(url)[0] == 200


def test_a_caller_that_sends_a_byte_at_a_time_is_hung_up_on(
    served: Callable[[Callable[[], bytes]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_serve, "REQUEST_S", 0.2)
    url = served(lambda: b"memtend_records 1.0\n")
    port = int(url.rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as caller:
        caller.sendall(b"GET /metrics HTTP/1.0\r\nX: ")
        for _ in range(400):
            if select.select([caller], [], [], 0.05)[0]:
                break
            caller.sendall(b"x")
        else:
            pytest.fail("it may go on for ever")
    assert answered(url)[0] == 200


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:70000", "127.0.0.1:", "1.2.3.4:1:x"])
def test_a_wrong_address_is_refused(address: str) -> None:
    with pytest.raises(ListenRefused):
        serve(address, bytes, "", Event(), str)


def test_a_taken_port_is_refused(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = cli("metrics", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", "--json")
    assert (ran.status, ran.error["name"]) == (110, "ListenRefused")


# top

SHOT = Shot(
    "sqlite:///x.db",
    "2026-01-01 00:00:00Z",
    [
        figure("memtend_records", 12),
        figure("memtend_health_score", 93),
        figure("memtend_alerts", 2, level="warning"),
        *(figure("memtend_agent_bytes", n, agent=f"[red]\x1b[31magent{n}") for n in range(9)),
        figure("memtend_backup_age_s", 7_300),
    ],
    [OpLatency("get", "hot", 610, 0.01, 0.02, 3.0)],
    (0.0, 1.0, 4.0),
)


def drawn(width: int) -> str:
    console = Console(width=width, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(view(SHOT, width))
    return console.export_text()


def test_names_give_way_to_figures(capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        figure(f"memtend_agent_{what}", 123_456, agent="a" * 99) for what in ("bytes", "records")
    ]
    shot = SHOT._replace(figures=found, latencies=[])
    for width in (40, 80, 140):
        Console(width=width).print(view(shot, width))
        text = capsys.readouterr().out
        assert "123,456   120.6 KiB" in text
        assert "aaa…" in text
        assert "p99" in text


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_top_fits_the_terminal_and_shows_text_as_text(width: int) -> None:
    text = drawn(width)
    assert max(map(len, text.splitlines())) <= width
    assert "93/100" in text
    assert "2 warning" in text
    assert "\x1b" not in text
    assert "[red]" in text
    assert "and 3 more" in text
    assert "2 h ago" in text
    assert "20 µs" in text


def test_into_a_pipe_top_prints_one_look(cli: Cli) -> None:
    ran = cli("top")
    assert (ran.status, "0 records" in ran.out) == (0, True)
    assert cli("top", "--every", "10ms").status == 2


@pytest.mark.parametrize("way", ["q", "interrupt"])
def test_top_is_left_cleanly(cli: Cli, tmp_path: Path, way: str) -> None:
    """In a terminal of its own: it gives the screen back and echoes keys again, status 0."""
    outer, inner = pty.openpty()
    before = termios.tcgetattr(inner)
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"}
    process = subprocess.Popen(
        [*MEMTEND, "top"], stdin=inner, stdout=inner, stderr=inner, cwd=tmp_path, env=environment
    )
    seen = b""
    while b"records" not in seen:
        seen += os.read(outer, 65_536)
    if way == "q":
        os.write(outer, b"q")
    else:
        process.send_signal(signal.SIGINT)
    while process.poll() is None:
        time.sleep(0.02)
    os.set_blocking(outer, False)
    seen += os.read(outer, 1_000_000)
    after = termios.tcgetattr(inner)
    os.close(outer)
    os.close(inner)
    assert process.returncode == 0
    assert seen.count(b"\x1b[?1049h") == seen.count(b"\x1b[?1049l") == 1
    assert after == before
