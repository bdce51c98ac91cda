"""Health and metrics over the wire."""

import re
from collections.abc import Iterator

import pytest

from revdesk_mock import Emulator, Settings
from revdesk_mock.server import Server
from tests.conftest import SPEC
from tests.test_app import ask

SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z]+="[^"\\\n]*"(?:,[a-z]+="[^"\\\n]*")*)\})? (\d+(?:\.\d+)?)')


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(Emulator(Settings(seed="status", clock="frozen"), SPEC)) as running:
        yield running


def metrics(server: Server) -> dict[str, float]:
    """Read the metrics, every line of them, by name and labels."""
    reply = ask(server, "GET", "/_revdesk/metrics")
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    read, typed = {}, set()
    for line in reply.raw.decode().removesuffix("\n").split("\n"):
        if line.startswith("# "):
            _, what, name, _ = line.split(" ", 3)
            assert what in {"HELP", "TYPE"}
            typed.add(name)
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        assert sample[1] in typed
        read[sample[1].removeprefix("revdesk_mock_") + (f"{{{sample[2]}}}" if sample[2] else "")] = float(sample[3])
    return read


def test_health_tells_what_runs_and_how_much_is_open(server: Server) -> None:
    ask(server, "GET", "/v1/me")
    plain, health = ask(server, "GET", "/health").body, ask(server, "GET", "/_revdesk/health").body
    assert plain.items() <= health.items()
    assert (health["worlds"], health["rooms"], health["uptime_seconds"] > 0) == (1, 0, True)


def test_requests_are_counted_by_operation_and_status(server: Server) -> None:
    for path in ("/v1/me", "/v1/me", "/v1/calls/nope", "/v1/nowhere", "/v1/elsewhere"):
        ask(server, "GET", path)
    read = metrics(server)
    counted = {name: count for name, count in read.items() if name.startswith("requests_total")}
    assert counted == {
        'requests_total{operation="none",status="404"}': 2,
        'requests_total{operation="v1_calls_id_get",status="404"}': 1,
        'requests_total{operation="v1_me_get",status="200"}': 2,
    }
    assert (read["worlds"], read["rooms"], read["contract_breaches_total"], read["faults_total"]) == (1, 0, 0, 0)
    assert read["uptime_seconds"] > 0


def test_failures_on_order_are_counted(server: Server) -> None:
    for _ in range(2):
        ask(server, "GET", "/v1/me", X_RevDesk_Mock='{"fault": {"do": {"status": 503}}}')
    assert metrics(server)["faults_total"] == 2


def test_what_clients_make_up_is_no_label(server: Server) -> None:
    for number in range(50):
        ask(server, "GET", f"/v1/nowhere/{number}", Authorization=f"Bearer revdesk_{number}")
        ask(server, "DELETE", "/v1/me", Authorization=f"Bearer revdesk_{number}")
    requests = [name for name in metrics(server) if name.startswith("requests_total")]
    assert requests == [
        'requests_total{operation="none",status="404"}',
        'requests_total{operation="none",status="405"}',
    ]


def test_metrics_are_counted_up(server: Server) -> None:
    before = metrics(server)
    ask(server, "GET", "/v1/me", Authorization="Bearer revdesk_another")
    after = metrics(server)
    assert after["worlds"] == before["worlds"] + 1
    assert after["uptime_seconds"] >= before["uptime_seconds"]
