"""The check finds no fault in the emulator, and finds, shrinks and reports what is wrong with other servers."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import orjson
import pytest

from revdesk_mock import Emulator, Settings, cli
from revdesk_mock.commands import checks as check_commands
from revdesk_mock.server import Server
from revdesk_mock.settings import shipped
from revdesk_mock.spec import Spec
from revdesk_mock.testing.check import Check, Outcome
from revdesk_mock.testing.wire import Answer, NoAnswer, Send, in_process
from tests.conftest import KEY, SPEC

URL = "http://127.0.0.1:8473"
WRITES = [name for name, operation in SPEC.operations.items() if operation.method != "GET"]
Spoil = Callable[[str, str, Mapping[str, str], Answer], Answer]


def emulator(fixture: str = "default", **settings: Any) -> Emulator:
    data = shipped(f"fixtures/{fixture}.json")
    return Emulator(Settings(data=data, seed="check", clock="frozen", **{"rate_limit": "off", **settings}), SPEC)


def outcomes(send: Send, *names: str, pause: Callable[[float], object] = lambda _: None, **how: Any) -> list[Outcome]:
    return list(Check(SPEC, send, KEY, pause, **how).run(names))


def spoilt(spoil: Spoil) -> Send:
    """Return the way to an emulator whose answers somebody changes."""
    sound = in_process(emulator())

    def send(method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        return spoil(method, target, headers, sound(method, target, body, headers))

    return send


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int | str | None, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(["check", "--key", KEY, *arguments])
    printed = capsys.readouterr()
    return end.value.code, printed.out, printed.err


def read(report: Path) -> ET.Element:
    return ET.parse(report).getroot()  # noqa: S314 our own report


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(emulator()) as made:
        yield made


def test_the_emulator_answers_every_read_by_the_contract(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    before = server.emulator.world(KEY).dump()["records"]
    code, printed, _ = run(capsys, "--url", server.url, "--examples", "5")
    lines = printed.splitlines()
    assert code == 0, printed
    assert re.fullmatch(r"0 failed, 22 passed, 41 skipped; \d+ requests", lines[-1])
    skipped = {line.split()[2]: line[67:] for line in lines if line.startswith("skipped") and " GET " in line}
    assert skipped == {
        "/v1/caller-trust/enterprise/{id}": "no id to use: none was in an answer of GET /v1/caller-trust/enterprise",
        "/v1/caller-trust/documents/{id}": "no id to use: only writes answer one",
    }
    assert sum("it writes, which --allow-writes allows" in line for line in lines) == len(WRITES)
    assert server.emulator.world(KEY).dump()["records"] == before


def test_the_emulator_answers_every_operation_by_the_contract(
    server: Server, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = tmp_path / "report.xml"
    code, printed, _ = run(capsys, "--url", server.url, "--allow-writes", "--junit", str(report))
    assert code == 0, printed
    assert re.fullmatch(r"0 failed, 63 passed, 0 skipped; \d+ requests", printed.splitlines()[-1])
    succeeded = {line.split()[2] for line in printed.splitlines() if " 200 x" in line}
    assert len(succeeded) > 35  # paths, which several operations may share
    suite = read(report)[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("63", "0", "0")
    assert {case.get("name") for case in suite} == SPEC.operations.keys()
    assert server.emulator.pipeline.breaches == []


def test_a_registered_company_is_read_by_its_ids() -> None:
    skipped = [made.operation.id for made in outcomes(in_process(emulator("registered"))) if made.verdict == "skipped"]
    assert sorted(skipped) == sorted(["v1_caller_trust_documents_id_get", *WRITES])


def test_reads_that_cost_money_are_writes() -> None:
    asked: list[str] = []

    def send(method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        asked.append(target)
        return in_process(free)(method, target, body, headers)

    free = emulator()
    reading = outcomes(send, "v1_caller_trust_reputation_numbers_phone_get")
    assert [made.verdict for made in reading] == ["pass"]
    assert not any("fresh" in target for target in asked)
    outcomes(send, "v1_caller_trust_reputation_numbers_phone_get", allow_writes=True)
    assert any("fresh=true" in target for target in asked)


def without_field(method: str, target: str, _: Mapping[str, str], answer: Answer) -> Answer:
    if method == "GET" and target.startswith("/v1/calls") and answer.status == 200:
        body = orjson.loads(answer.body)
        for call in body["data"]:
            del call["direction"]
        return answer._replace(body=orjson.dumps(body))
    return answer


def failing(_: str, target: str, __: Mapping[str, str], answer: Answer) -> Answer:
    limit = re.search(r"limit=(\d+)", target)
    return answer._replace(status=500) if limit and 20 < int(limit[1]) <= 100 else answer


def lenient(method: str, target: str, headers: Mapping[str, str], answer: Answer) -> Answer:
    if answer.status == 400 and "cursor" not in target:
        return in_process(emulator())(method, target.partition("?")[0], b"", headers)
    return answer


def open_to_all(method: str, target: str, headers: Mapping[str, str], answer: Answer) -> Answer:
    if "Authorization" not in headers:
        return in_process(emulator())(method, target, b"", {**headers, "Authorization": f"Bearer {KEY}"})
    return answer


def strict(_: str, target: str, __: Mapping[str, str], answer: Answer) -> Answer:
    refusal = {"error": {"code": "validation_error", "message": f"{KEY} may not ask for a status"}}
    return answer if "status=" not in target else answer._replace(status=400, body=orjson.dumps(refusal))


def in_prose(_: str, __: str, ___: Mapping[str, str], answer: Answer) -> Answer:
    return answer._replace(headers={"content-type": "text/html"}) if answer.status == 200 else answer


def no_reply(*_: Any) -> Any:
    """Handle a request against the house's rules."""


def cut(_: str, __: str, ___: Mapping[str, str], answer: Answer) -> Answer:
    return answer._replace(body=answer.body[:9]) if answer.status == 200 else answer


VALID = "a valid request"


@pytest.mark.parametrize(
    ("spoil", "kind", "complaint", "target"),
    [
        (without_field, VALID, r"/data/0/direction is required \(got nothing\)", ""),
        (failing, VALID, r"the status 500 is not declared; declared are 200, 400, 401", r"\?limit=21"),
        (lenient, "a request with one fault", r"it was answered 200; its fault is query limit: type", r"\?limit=null"),
        (open_to_all, "a request without a key", r"it was answered 200; 401 was expected", ""),
        (strict, VALID, r"refused with 400: \*{4} may not ask for a status", r"\?status=(COMPLETED)?"),
        (in_prose, VALID, r"the content type of a 200 must be application/json, and is text/html", ""),
        (cut, VALID, r"the body of a 200 is not JSON", ""),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_wrong_with_a_server_is_found_with_the_smallest_request(
    spoil: Spoil, kind: str, complaint: str, target: str
) -> None:
    (outcome,) = outcomes(spoilt(spoil), "v1_calls_get", examples=50)
    assert outcome.verdict == "fail"
    assert outcome.failure is not None
    assert outcome.failure.kind == kind
    assert re.search(complaint, outcome.failure.complaint), outcome.failure.complaint
    assert re.fullmatch(f"/v1/calls{target}", outcome.failure.request.target)


def test_an_answer_that_is_wrong_only_now_and_then_is_a_failure_all_the_same() -> None:
    count = iter(range(10**6))

    def sometimes(_: str, __: str, ___: Mapping[str, str], answer: Answer) -> Answer:
        return answer._replace(status=503) if next(count) == 20 else answer

    (outcome,) = outcomes(spoilt(sometimes), "v1_me_get", "v1_calls_get", examples=50)[1:]
    assert outcome.failure is not None
    assert "503 is not declared" in outcome.failure.complaint


def test_a_server_that_asks_for_patience_gets_it_once_in_vain() -> None:
    waits: list[float] = []
    limited = in_process(emulator(rate_limit=5))
    made = outcomes(limited, "v1_calls_get", "v1_me_get", pause=waits.append, examples=20)
    assert waits
    assert set(waits) == {60}
    assert len(waits) <= 3  # at the beginning, and for each operation
    assert [outcome.verdict for outcome in made] == ["skipped", "skipped"]
    assert made[1].reason == "every request was answered with 429"


def test_a_server_that_lets_requests_in_after_a_while_is_checked_to_the_end() -> None:
    limited = emulator(rate_limit=15)

    def wait(seconds: float) -> None:
        limited.world(KEY).advance(seconds)

    (outcome,) = outcomes(in_process(limited), "v1_calls_get", pause=wait, examples=20)
    assert outcome.verdict == "pass"
    assert 429 not in outcome.answers


def test_whoever_waits_is_told_for_what(capsys: pytest.CaptureFixture[str]) -> None:
    def let_in_at_once(_: str, __: str, ___: Mapping[str, str], answer: Answer) -> Answer:
        return answer if next(asked) else answer._replace(status=429, headers={**answer.headers, "retry-after": "0"})

    asked = iter([False, *[True] * 1000])
    (outcome,) = outcomes(spoilt(let_in_at_once), "v1_me_get", pause=check_commands.pause)
    assert outcome.verdict == "pass"
    assert capsys.readouterr().err == "waiting for 0 s, as a 429 asked for\n"


def test_a_failure_is_shown_as_curl_without_the_key_and_reported(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = tmp_path / "report.xml"
    broken = emulator()
    broken.pipeline._handlers = {**broken.pipeline._handlers, "v1_me_get": no_reply}
    with Server(broken) as server:
        code, printed, _ = run(capsys, "--url", server.url, "--operation", "GET /v1/me", "--junit", str(report))
        expected = f"""\
fail    GET    /v1/me                                              401 x1, 500 x3
v1_me_get: a valid request
  the status 500 is not declared; declared are 200, 400, 401, 403, 404, 409, 429
  curl -i -X GET -H "Authorization: Bearer $REVDESK_API_KEY" {server.url}/v1/me
1 failed, 0 passed, 0 skipped; 4 requests
"""
    assert (code, printed) == (1, expected)
    failure = read(report).find(".//failure")
    assert failure is not None
    assert "500 is not declared" in str(failure.get("message"))
    assert "curl -i -X GET" in str(failure.text)


def test_what_no_request_can_be_made_up_for_is_skipped() -> None:
    document = deepcopy(SPEC.document)
    document["paths"]["/v1/calls"]["get"]["parameters"] = [
        {
            "name": "status",
            "in": "query",
            "required": True,
            "schema": {"type": "string", "pattern": "^a$", "minLength": 2},
        }
    ]
    (outcome,) = Check(Spec(document), in_process(emulator()), KEY, lambda _: None).run(["v1_calls_get"])
    assert (outcome.verdict, outcome.reason) == ("skipped", "no example was found of a request without a key")


def test_an_unknown_operation_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="did you mean 'v1_calls_get'"):
        outcomes(in_process(emulator()), "v1_cals_get")


def test_a_server_that_hangs_up_has_not_answered() -> None:
    def hang_up(_: str, target: str, __: Mapping[str, str], answer: Answer) -> Answer:
        if "limit=" in target:
            raise NoAnswer("the connection was closed")
        return answer

    (outcome,) = outcomes(spoilt(hang_up), "v1_calls_get", examples=50)
    assert outcome.failure is not None
    assert outcome.failure.complaint == "no answer: the connection was closed"
    assert outcome.failure.request.target == "/v1/calls?limit=1"


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["--url", "nowhere"], 2, "'nowhere' does not begin with http:// or https://"),
        ([], 2, "Missing option '--url'"),
        (["--url", URL, "--operation", "v1_cals_get"], 2, "did you mean 'v1_calls_get'?"),
        (["--url", URL, "--operation", "POST /v1/calls"], 2, "POST /v1/calls writes; add --allow-writes if it may"),
        (["--url", URL, "--key", "revdesk key"], 2, "it takes printable ASCII characters without spaces"),
        (["--url", URL, "--junit", "/nowhere/report.xml"], 2, "--junit: there is no folder /nowhere"),
        (["--url", URL, "--examples", "0"], 2, "0 is not in the range"),
        (["--url", URL, "--spec", "nowhere.json"], 4, "contract nowhere.json: No such file"),
    ],
)
def test_bad_usage_is_refused_before_anything_is_sent(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, complaint: str
) -> None:
    stopped, printed, said = run(capsys, *arguments)
    assert (stopped, printed) == (code, "")
    assert complaint in said


def test_a_server_that_is_not_there_or_refuses_the_key_is_told_at_once(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        code, _, said = run(capsys, "--url", url)
    assert code == 4
    assert f"the server does not answer: {url}: " in said
    code, _, said = run(capsys, "--url", server.url, "--key", "revdesk_revoked_1")
    assert code == 4
    assert "the server refuses the key: GET /v1/me is answered with 401" in said
    assert "revdesk_revoked_1" not in said


def test_a_check_leaves_nothing_where_it_is_run(server: Server, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "revdesk_mock", "check", "--url", server.url, "--operation", "v1_calls_get"]
    subprocess.run(command, check=True, cwd=tmp_path, env={"REVDESK_API_KEY": KEY}, capture_output=True)
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_cannot_be_written_is_told(
    server: Server, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, _, said = run(capsys, "--url", server.url, "--operation", "v1_me_get", "--junit", str(tmp_path))
    assert code == 4
    assert f"report {tmp_path}: Is a directory" in said


def test_without_the_extra_the_command_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("revdesk_mock.commands.checks.find_spec", lambda _: None)
    code, _, said = run(capsys, "--url", URL)
    assert code == 4
    assert "pip install 'revdesk-mock[hypothesis]'" in said


def test_the_url_may_have_a_prefix_and_the_connection_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    accepted, lines = [], []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        accepted.append(connection)
        with connection, connection.makefile("rwb") as stream:
            while line := stream.readline():
                lines.append(line.decode().strip())
                while stream.readline().strip():
                    pass
                stream.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}")
                stream.flush()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/prefix"
    code, printed, _ = run(capsys, "--url", url, "--operation", "v1_me_get")
    thread.join(5)
    listener.close()
    assert code == 1
    assert "the content type of a 404 must be application/json, and is not given" in printed
    assert len(accepted) == 1
    assert set(lines) > {"GET /prefix/v1/me HTTP/1.1", "GET /prefix/v1/calls HTTP/1.1"}
    assert f"{url}/v1/me" in printed
