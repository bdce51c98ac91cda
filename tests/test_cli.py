"""The command line as people use it: real processes, their output and their exit codes."""

import http.client
import json
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

import revdesk_mock
from revdesk_mock import cli
from revdesk_mock.clock import stopwatch
from revdesk_mock.commands.options import TEST_KEY, check_environment, every
from revdesk_mock.resources import HANDLERS
from revdesk_mock.settings import shipped
from tests.commands.shell import COMMAND, ROOT, environment, run
from tests.conftest import MAIN, ORDINARY


class Running:
    """A server process, its address, and what it has printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.banner = ""
        assert process.stdout is not None
        for line in process.stdout:
            self.banner += line
            if "/v1/me" in line or line.startswith("{"):
                break
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.banner)
        assert found, f"no address in {self.banner!r}"
        self.port = int(found[1])

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        key: str = "revdesk_cli",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        raw = None if body is None else json.dumps(body)
        connection.request(method, path, raw, {"Authorization": f"Bearer {key}", **(headers or {})})
        answer = connection.getresponse()
        try:
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def stop(self) -> tuple[int, str]:
        """Ask it to end; return its exit code and its log."""
        self.process.send_signal(signal.SIGTERM)
        _, log = self.process.communicate(timeout=10)
        return self.process.returncode, log


@contextmanager
def serving(*arguments: str, cwd: Path | None = None, **variables: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=environment(**variables),
    )
    try:
        yield Running(process)
    finally:
        process.kill()
        process.communicate()


def test_plain_revdesk_mock_serves() -> None:
    with serving("--port", "0") as server:
        assert server.ask("GET", "/v1/me")[0] == 200
        assert f'curl -H "Authorization: Bearer {TEST_KEY}" http://127.0.0.1:{server.port}/v1/me' in server.banner
        assert f"63 operations, {len(HANDLERS)} emulated" in server.banner
        assert "seed" in server.banner


def test_another_contract_is_served_from_its_file(tmp_path: Path) -> None:
    contract = orjson.loads(shipped("openapi.json").read_bytes())
    contract["paths"] = {path: contract["paths"][path] for path in ("/v1/me", "/v1/agents/{id}/web-call")}
    web_call = contract["paths"]["/v1/agents/{id}/web-call"]["post"]
    web_call["operationId"] = "v1_agents_id_call_post"
    (tmp_path / "other.json").write_bytes(orjson.dumps(contract))
    with serving("--port", "0", "--spec", str(tmp_path / "other.json")) as server:
        assert "other.json, 2 operations, 1 emulated" in server.banner
        assert [server.ask("GET", path)[0] for path in ("/v1/me", "/v1/agents")] == [200, 404]
    lines = run("routes", "--spec", str(tmp_path / "other.json")).stdout.splitlines()
    assert [line.split()[2:] for line in lines] == [["emulated", "v1_me_get"], ["501", "v1_agents_id_call_post"]]


def test_the_curl_line_of_the_banner_works() -> None:
    with serving("serve", "--port", "0") as server:
        assert server.ask("GET", "/v1/me", key=TEST_KEY)[0] == 200


def test_sigterm_ends_it_within_a_second_and_with_success() -> None:
    with serving("--port", "0") as server:
        server.ask("GET", "/v1/me")
        started = stopwatch()
        code, log = server.stop()
        assert code == 0
        assert stopwatch() - started < 1
        assert re.search(r"GET    /v1/me 200 \d", log)


def test_an_open_request_is_answered_before_the_end() -> None:
    blocked = "+13125550190"  # refused, so its key stays free
    replies: list[tuple[int, Any]] = []
    with serving("--port", "0") as server:

        def dial(to_number: str, **headers: str) -> tuple[int, Any]:
            body = {"from_number": MAIN, "to_number": to_number}
            return server.ask("POST", "/v1/calls/dial", body, headers={"Idempotency-Key": "open", **headers})

        delay = {"X-RevDesk-Mock": '{"delay_ms": 600000}'}
        first = threading.Thread(target=lambda: replies.append(dial(ORDINARY, **delay)))
        first.start()
        while dial(blocked)[0] != 409:  # it is under way once its key is in use
            assert not replies
        started = stopwatch()
        assert server.stop()[0] == 0
        assert stopwatch() - started < 1
        first.join()
    assert [status for status, _ in replies] == [200]


def test_keys_are_not_logged() -> None:
    with serving("--port", "0", "--log-level", "debug") as server:
        server.ask("GET", "/v1/calls/secret_key_abc?x=secret_key_abc", key="secret_key_abc")
        assert "secret_key_abc" not in server.stop()[1]


def test_the_given_api_key_is_let_in_and_not_printed() -> None:
    with serving("--port", "0", "--api-key", "mine_alone_123", "--api-key", "second_one_456") as server:
        assert "mine_alone_123" not in server.banner
        assert server.ask("GET", "/v1/me", key="mine_alone_123")[0] == 200
        assert server.ask("GET", "/v1/me", key="second_one_456")[0] == 200
        assert server.ask("GET", "/v1/me", key="revdesk_other")[0] == 401


def ask_admin(server: Running, token: str | None) -> int:
    return server.ask("GET", "/_revdesk/prices", headers={"X-RevDesk-Mock-Token": token} if token else None)[0]


def test_the_given_admin_token_is_wanted_and_not_printed() -> None:
    with serving("--port", "0", REVDESK_MOCK_ADMIN_TOKEN="open_sesame") as server:
        assert [ask_admin(server, token) for token in (None, "open", "open_sesame")] == [401, 401, 200]
        assert "open_sesame" not in server.banner + server.stop()[1]


@pytest.mark.parametrize("form", ["text", "json"])
def test_off_loopback_an_admin_token_is_made_and_told_once(form: str) -> None:
    with serving("--port", "0", "--host", "0.0.0.0", "--log-format", form, "--log-level", "debug") as server:
        [token] = re.findall(r"revdesk_admin_[0-9a-f]{32}", server.banner)
        assert [ask_admin(server, sent) for sent in (None, "revdesk_admin_", token)] == [401, 401, 200]
        assert token not in server.stop()[1]


def test_a_seed_repeats_ids() -> None:
    def agent_of_a_bought_number() -> str:
        with serving("--port", "0", "--seed", "5", "--clock", "frozen") as server:
            return str(server.ask("POST", "/v1/phone-numbers", {})[1]["data"]["phone_record_id"])

    assert agent_of_a_bought_number() == agent_of_a_bought_number()


def test_the_rate_limit_can_be_set_and_switched_off() -> None:
    with serving("--port", "0", "--rate-limit", "2") as server:
        assert [server.ask("GET", "/v1/me")[0] for _ in range(3)] == [200, 200, 429]
    with serving("--port", "0", "--rate-limit", "off") as server:
        assert {server.ask("GET", "/v1/me")[0] for _ in range(5)} == {200}


def test_policies_can_be_set() -> None:
    with serving("--port", "0", "--policy", "wrong_method_status=404", "--policy", "call_status_case=lower") as server:
        assert server.ask("DELETE", "/v1/me")[0] == 404
        dialed = server.ask("POST", "/v1/calls/dial", {"from_number": MAIN, "to_number": ORDINARY})[1]
        assert dialed["data"]["status"] == "queued"


def test_worlds_are_exported_on_exit_and_imported_again(tmp_path: Path) -> None:
    file = tmp_path / "worlds.json"
    with serving("--port", "0", "--export-on-exit", str(file)) as server:
        server.ask("PATCH", "/v1/phone-numbers/1001", {"name": "Kept"})
        assert server.stop()[0] == 0
    with serving("--port", "0", "--import", str(file)) as server:
        assert server.ask("GET", "/v1/phone-numbers/1001")[1]["data"]["name"] == "Kept"


def test_data_chooses_where_worlds_start() -> None:
    with serving("--port", "0", "--data", str(ROOT / "fixtures/empty.json")) as server:
        assert server.ask("GET", "/v1/phone-numbers")[1]["data"] == []


def test_json_logs_are_json_from_the_first_line() -> None:
    with serving("--port", "0", "--log-format", "json") as server:
        assert json.loads(server.banner)["event"] == "started"
        server.ask("GET", "/v1/me")
        assert json.loads(server.stop()[1])["path"] == "/v1/me"


def test_every_option_has_an_environment_twin() -> None:
    with serving(
        REVDESK_MOCK_PORT="0",
        REVDESK_MOCK_POLICY="wrong_method_status=404",
        REVDESK_MOCK_RATE_LIMIT="3",
        REVDESK_MOCK_LOG_FORMAT="json",
    ) as server:
        assert server.ask("DELETE", "/v1/me")[0] == 404
        assert [server.ask("GET", "/v1/me")[0] for _ in range(4)] == [200, 200, 200, 429]


def test_the_address_that_clients_are_told_can_be_set() -> None:
    with serving("--port", "0", "--public-url", "https://revdesk.example/mock/") as server:
        assert "public   https://revdesk.example/mock\n" in server.banner
        call = server.ask("POST", "/v1/room-token", {"from_number": MAIN, "to_number": ORDINARY})[1]
        assert call["data"]["room_url"] == "wss://revdesk.example/mock"


def test_a_configuration_file_is_found_and_flags_and_environment_win_over_it(tmp_path: Path) -> None:
    lines = ["port = 0", "rate-limit = 2", 'api-key = ["from_file"]', "[policy]", 'wrong_method_status = "404"']
    (tmp_path / "revdesk-mock.toml").write_text("\n".join(lines))
    with serving("--api-key", "from_flag", cwd=tmp_path, REVDESK_MOCK_RATE_LIMIT="3") as server:
        assert server.ask("DELETE", "/v1/me", key="from_flag")[0] == 404
        assert server.ask("GET", "/v1/me", key="from_file")[0] == 401
        assert [server.ask("GET", "/v1/me", key="from_flag")[0] for _ in range(4)] == [200, 200, 200, 429]


def test_healthcheck_follows_the_servers_own_settings() -> None:
    with serving(REVDESK_MOCK_PORT="0") as server:
        ready = run("healthcheck", REVDESK_MOCK_PORT=str(server.port), REVDESK_MOCK_HOST="0.0.0.0")
        assert (ready.returncode, ready.stdout) == (0, "ready: 200\n")
    gone = run("healthcheck", "--port", str(server.port))
    assert gone.returncode == 1
    assert "does not answer" in gone.stderr


def test_one_configuration_file_serves_every_command(tmp_path: Path) -> None:
    lines = ["port = 1", 'seed = "7"', "[policy]", 'token_reuse_status = "403"']
    (tmp_path / "revdesk-mock.toml").write_text("\n".join(lines))
    assert "127.0.0.1:1 does not answer" in run("healthcheck", cwd=tmp_path).stderr
    assert "token_reuse_status = 403" in run("policies", cwd=tmp_path).stdout
    assert "token_reuse_status = 409" in run("policies", REVDESK_MOCK_POLICY="token_reuse_status=409").stdout
    assert run("routes", cwd=tmp_path).returncode == 0


def test_routes_lists_every_operation_and_whether_it_is_emulated() -> None:
    lines = run("routes").stdout.splitlines()
    assert len(lines) == 63
    assert sum(" emulated " in line for line in lines) == len(HANDLERS)
    assert any(line.split() == ["POST", "/v1/calls/dial", "emulated", "v1_calls_dial_post"] for line in lines)


def test_policies_lists_value_question_choices_and_source() -> None:
    text = run("policies", "--policy", "token_reuse_status=409").stdout
    assert "token_reuse_status = 409" in text
    assert "choices: 401, 403, 409; chosen" in text
    assert "inferred: the conventions page" in text


def test_version_prints_the_version() -> None:
    assert run("version").stdout == f"{revdesk_mock.__version__}\n"


def test_help_lists_the_commands() -> None:
    text = run("--help").stdout
    for name in ("serve", "routes", "policies", "recipes", "healthcheck", "version"):
        assert name in text


REFUSED: dict[str, tuple[list[str], dict[str, str], int, str]] = {
    "unknown option": (["--prot", "1"], {}, 2, "--port"),
    "unknown command": (["sevre"], {}, 2, "did you mean 'serve'?"),
    "bad value": (["--clock", "slow"], {}, 2, "'slow'"),
    "bad port": (["--port", "70000"], {}, 2, "70000"),
    "bad rate limit": (["--rate-limit", "many"], {}, 2, "neither a whole number"),
    "unknown policy": (["--policy", "wrong_methd_status=404"], {}, 2, "did you mean 'wrong_method_status'?"),
    "bad choice of a policy": (["--policy", "wrong_method_status=200"], {}, 2, "405, 404"),
    "policy without a value": (["--policy", "wrong_method_status"], {}, 2, "name=value"),
    "unknown variable": ([], {"REVDESK_MOCK_PROT": "1"}, 2, "did you mean 'REVDESK_MOCK_PORT'?"),
    "public URL that is none": (["--public-url", "revdesk.example"], {}, 2, "https://revdesk.example"),
    "public URL by variable": ([], {"REVDESK_MOCK_PUBLIC_URL": "ws://x"}, 2, "begin with http:// or https://"),
    "name to listen on": (["--media-host", "localhost"], {}, 2, "'localhost' is no IP address"),
    "address of another machine": (["--media-host", "203.0.113.9"], {}, 2, "no address of this machine"),
    "address that is nowhere": (["--media-ip", "0.0.0.0"], {}, 2, "nobody can send to 0.0.0.0"),
    "ports the wrong way round": (["--media-ports", "50100-50000"], {}, 2, "the lower one first"),
    "port out of range": (["--media-ports", "50000-70000"], {}, 2, "from 1 to 65535"),
    "admin token that no header holds": (["--admin-token", "two words"], {}, 2, "without spaces"),
    "one port": (["--media-ports", "50000"], {}, 2, "such as 50000-50100"),
    "missing contract": (["--spec", "nowhere.json"], {}, 4, "nowhere.json: No such file"),
    "contract that is none": (["--spec", "fixtures/empty.json"], {}, 4, "no OpenAPI document"),
    "missing fixture": (["--data", "nowhere.json"], {}, 4, "nowhere.json: No such file"),
    "fixture that is none": (["--data", "openapi.json"], {}, 4, "openapi.json: "),
    "missing import": (["--import", "nowhere.json"], {}, 4, "nowhere.json: No such file"),
    "missing configuration": (["--config", "nowhere.toml"], {}, 4, "nowhere.toml"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_done_is_one_clear_line(case: tuple[list[str], dict[str, str], int, str]) -> None:
    arguments, variables, code, words = case
    ended = run(*arguments, cwd=ROOT, **variables)
    assert ended.returncode == code
    assert len(ended.stderr.splitlines()) == 1
    assert words in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("text", ["prot = 1", "port = ", "[policy]\nnope = 'x'"])
def test_a_bad_configuration_file_stops_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "revdesk-mock.toml").write_text(text)
    ended = run(cwd=tmp_path)
    assert ended.returncode in {2, 4}
    assert len(ended.stderr.splitlines()) == 1


def test_a_taken_port_has_an_exit_code_of_its_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("--port", str(port))
    assert (ended.returncode, len(ended.stderr.splitlines())) == (3, 1)
    assert f"port {port}" in ended.stderr


def test_a_contract_with_an_unknown_keyword_is_refused_by_name(tmp_path: Path) -> None:
    text = (ROOT / "openapi.json").read_text().replace('"minLength"', '"minimumLength"', 1)
    file = tmp_path / "odd.json"
    file.write_text(text)
    ended = run("--spec", str(file))
    assert ended.returncode == 4
    assert "minimumLength" in ended.stderr


def test_every_option_is_described() -> None:
    for option in every(cli.commands):
        assert option.help, option.name


def test_a_variable_of_a_list_of_numbers_is_not_ours() -> None:
    check_environment(cli.serve, {"REVDESK_API_KEY": "x", "PATH": "y", "REVDESK_MOCK_PORT": "1"})


def test_the_log_says_why_a_room_was_not_joined_and_no_token_even_when_it_says_all() -> None:
    with serving("--port", "0", "--log-level", "debug") as server:
        _, answer = server.ask("POST", "/v1/webrtc-token", {"from_number": MAIN, "to_number": ORDINARY})
        token = answer["data"]["token"]
        rooms = f"ws://127.0.0.1:{server.port}/rtc"
        with pytest.raises(InvalidStatus):
            connect(f"{rooms}/v1?access_token={token}&join_request=!")
        with connect(f"{rooms}?access_token={token}"), pytest.raises(InvalidStatus):
            connect(f"{rooms}?access_token={token}")
        _, log = server.stop()
    assert "a client may not join a room: join_request is" in log
    assert "a client may not join a room: The token is joined" in log
    assert token not in log
    assert "handshake" not in log
