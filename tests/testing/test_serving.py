"""`serve()`: what the fixtures give, without pytest."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

import revdesk_mock
from revdesk_mock import Settings, StartError
from revdesk_mock.testing.admin_client import AdminError, NoServer
from revdesk_mock.testing.remote import RevDeskServer, attach


def test_a_block_has_a_server_and_worlds() -> None:
    with revdesk_mock.serve(Settings(clock="frozen")) as server:
        with server.world(seed="a") as one, server.world(seed="a") as other:
            assert one.key != other.key
            assert one.client.get("/v1/me").is_success
            assert one.about()["frozen"]
        assert server.admin.get("/_revdesk/worlds") == []
    with pytest.raises(NoServer, match=r"no emulator answers at http://127\.0\.0\.1"):
        server.admin.get("/ready")


def test_an_order_that_cannot_be_opens_nothing(server: RevDeskServer, tmp_path: Path) -> None:
    before = server.admin.get("/_revdesk/worlds")
    with pytest.raises(StartError, match="did you mean 'seed'"):
        server.world(sede=1)  # type: ignore[call-arg]
    with pytest.raises(StartError, match="is not JSON"):
        server.world(data=Path(__file__))
    with pytest.raises(StartError, match="Is a directory"):
        server.world(data=tmp_path)
    with pytest.raises(AdminError, match="did you mean 'foreign_id_status'") as refused:
        server.world(policy={"foreign_id": "403"})
    assert (refused.value.status, refused.value.code) == (400, "validation_error")
    assert server.admin.get("/_revdesk/worlds") == before


def test_what_is_no_emulator_is_not_attached_to() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        thread = Thread(target=other.serve_forever)
        thread.start()
        with pytest.raises(NoServer, match="what answers there is no emulator"):
            attach(f"http://127.0.0.1:{other.server_port}")
        other.shutdown()
        thread.join()


def test_a_server_elsewhere_is_attached_to(server: RevDeskServer) -> None:
    far = attach(f"{server.url}/")
    with far.world() as world:
        assert world.url == server.url
        assert world.client.get("/v1/me").is_success
    assert far.local is None
    far.admin.close()
