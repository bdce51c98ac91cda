"""Workers of one run share one server, and each test has a world of its own on it."""

from pathlib import Path

import pytest

from revdesk_mock.testing.remote import attach
from revdesk_mock.testing.serving import serve
from revdesk_mock.testing.sharing import shared
from tests.testing.conftest import Suite
from tests.testing.test_policy_runs import FOREIGN

WORKERS = ("-n2", "-p", "no:asyncio")


@pytest.mark.timeout(300)
def test_a_thousand_tests_on_two_workers_share_a_server_without_a_collision(suite: Suite) -> None:
    ran = suite.run_apart(
        """
        import os, httpx, pytest

        @pytest.mark.parametrize("number", range(1000))
        def test_it(number, revdesk, tmp_path_factory):
            assert revdesk.client.post("/v1/sub-entities", json={"name": f"N{number}"}).is_success
            names = [one["name"] for one in revdesk.client.get("/v1/sub-entities").json()["data"]]
            assert [name for name in names if name.startswith("N")] == [f"N{number}"]
            seen = tmp_path_factory.getbasetemp().parent / "seen"
            seen.mkdir(exist_ok=True)
            (seen / revdesk.id).write_text(f"{revdesk.url} {os.getpid()}")

        @pytest.mark.parametrize("number", range(8))
        def test_near(number, revdesk, revdesk_transport):
            with httpx.Client(transport=revdesk_transport, base_url=revdesk.url, headers=revdesk.headers) as client:
                assert client.get("/v1/me").json() == revdesk.client.get("/v1/me").json()
        """,
        *WORKERS,
        "-q",
    )
    assert ran.counts == {"passed": 1008}
    seen = [path.read_text().split() for path in suite.pytester.path.parent.rglob("seen/*")]
    assert len(seen) == 1000
    assert len({url for url, _ in seen}) == 1
    assert len({process for _, process in seen}) == 2


def test_workers_report_what_their_tests_met_and_under_which_policy(suite: Suite) -> None:
    ran = suite.run_apart(FOREIGN, *WORKERS, "--revdesk-policies=foreign_id_status", "--revdesk-cov")
    assert ran.counts == {"passed": 2, "failed": 1}
    assert ran.says("FAILED test_it.py::test_marked [policy foreign_id_status=403]")
    assert ran.says("GET /v1/calls/{id}", "  met    403 forbidden x1, 404 not_found x2")


def test_who_comes_second_finds_the_first_ones_server(tmp_path: Path) -> None:
    with shared(tmp_path, "one", serve) as first, shared(tmp_path, "other", serve) as other:
        assert other.url != first.url
        assert (tmp_path / "one.url").read_text() == first.url
        with attach(first.url).admin as admin:
            assert admin.get("/ready")["status"] == "ready"
    assert not (tmp_path / "one.url").exists()


def test_what_a_dead_worker_left_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "one.url").write_text("http://127.0.0.1:9")
    with shared(tmp_path, "one", serve) as server:
        assert server.url != "http://127.0.0.1:9"
