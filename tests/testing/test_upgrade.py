"""A new contract is held against recorded requests and answers: what breaks is told, by operation, with an example."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest

from revdesk_mock import Emulator, Settings, StartError, cli
from revdesk_mock.har import export
from revdesk_mock.spec import Spec
from revdesk_mock.testing import recorded
from revdesk_mock.testing.upgrade import Report, Upgrade
from revdesk_mock.testing.wire import in_process
from tests.conftest import AGENT, KEY, MAIN, ORDINARY, SPEC
from tests.test_second_contract import PATH as SECOND

URL = "http://127.0.0.1:8473"
DIAL = {"from_number": MAIN, "to_number": ORDINARY, "record": False}
TEXT, CALL_ID = {"type": "string"}, "answer /data/call_id"
Change = Callable[[dict[str, Any]], object]


def har(*entries: Any) -> dict[str, Any]:
    return {"log": {"version": "1.2", "creator": {"name": "test", "version": "1"}, "entries": list(entries)}}


def entry(method: str, target: str, body: Any = None, **more: Any) -> dict[str, Any]:
    """Return what the emulator answers to a request, as a HAR file has it."""
    raw = b"" if body is None else orjson.dumps(body)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    path = target.removeprefix("/prefix")
    answer = in_process(Emulator(Settings(seed="upgrade", clock="frozen"), SPEC))(method, path, raw, headers)
    return {
        "request": {
            "method": method,
            "url": URL + target,
            "headers": [{"name": name, "value": value} for name, value in headers.items()],
            **({"postData": {"mimeType": "application/json", "text": raw.decode()}} if raw else {}),
        },
        "response": {"status": answer.status, "headers": [], "content": {"text": answer.body.decode()}},
        **more,
    }


def write(folder: Path, document: Any) -> Path:
    path = folder / "journal.har"
    path.write_bytes(document if isinstance(document, bytes) else orjson.dumps(document))
    return path


def report(folder: Path, new: Spec, *entries: Any) -> Report:
    return Upgrade(SPEC, new).report(recorded.read(write(folder, har(*entries))))


def told(made: Report) -> list[tuple[str, str]]:
    return [(finding.where, finding.says) for finding in made.findings]


def changed(change: Change) -> Spec:
    """Return the contract with the operation `POST /v1/calls/dial` changed."""
    document = deepcopy(SPEC.document)
    change(document["paths"]["/v1/calls/dial"])
    return Spec(document)


def body(item: dict[str, Any]) -> Any:
    return item["post"]["requestBody"]["content"]["application/json"]["schema"]


def answer(item: dict[str, Any]) -> Any:
    return item["post"]["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["data"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda item: item["post"].update(summary="Other words"), []),
        (lambda item: item.pop("post"), [("operation", "is gone")]),
        (lambda item: body(item)["required"].append("reason"), [("body /reason", "is required")]),
        (lambda item: body(item)["properties"].pop("record"), [("body /record", "is not a field of this operation")]),
        (lambda item: body(item)["properties"].update(record=TEXT), [("body /record", "must be a string")]),
        (
            lambda item: body(item)["properties"]["to_number"].update(enum=["+13125550101"]),
            [("body /to_number", "must be one of +13125550101")],
        ),
        (lambda item: body(item)["properties"]["amd"].update(type="string"), []),  # which was not sent
        (
            lambda item: item["post"]["responses"].update({"202": item["post"]["responses"].pop("200")}),
            [("status", "200 is not declared any more; success is 202")],
        ),
        (lambda item: answer(item)["properties"].pop("call_id"), [(CALL_ID, "is not declared any more")]),
        (lambda item: answer(item)["required"].remove("call_id"), [(CALL_ID, "may be left out now")]),
        (
            lambda item: answer(item)["properties"].update(call_id={"anyOf": [TEXT, {"type": "null"}]}),
            [(CALL_ID, "may be null now")],
        ),
        (
            lambda item: answer(item)["properties"].update(call_id={"type": "integer"}),
            [(CALL_ID, "was a string, and is an integer now")],
        ),
    ],
)  # fmt: skip
def test_what_breaks_is_told(tmp_path: Path, change: Change, expected: list[tuple[str, str]]) -> None:
    made = report(tmp_path, changed(change), entry("POST", "/v1/calls/dial", DIAL))
    assert told(made) == expected


def test_what_was_refused_before_is_no_news(tmp_path: Path) -> None:
    narrower = changed(lambda item: body(item)["required"].append("reason"))
    made = report(tmp_path, narrower, entry("POST", "/v1/calls/dial", {"from_number": "415", "unknown": 1}))
    assert told(made) == [("body /reason", "is required")]


def test_findings_are_counted_and_shown_by_the_first_request_that_meets_them(tmp_path: Path) -> None:
    newer = changed(lambda item: answer(item)["properties"].pop("status"))
    asked = [entry("POST", "/v1/calls/dial", DIAL, _request_id=f"req_{number}") for number in range(3)]
    (finding,) = report(tmp_path, newer, *asked).findings
    assert (finding.requests, finding.example.name, finding.pointer) == (3, "req_0", "/data/status")
    assert finding.operation.id == "v1_calls_dial_post"


def test_items_of_a_list_are_one_finding(tmp_path: Path) -> None:
    document = deepcopy(SPEC.document)
    listed = document["paths"]["/v1/calls"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    listed["properties"]["data"]["items"]["properties"]["status"] = {"type": "integer"}
    (finding,) = report(tmp_path, Spec(document), entry("GET", "/v1/calls")).findings
    assert (finding.where, finding.pointer, finding.requests) == ("answer /data/*/status", "/data/0/status", 1)


def test_the_vendors_later_contract_breaks_this(tmp_path: Path) -> None:
    brand = {"display_name": "Harbor Dental", "call_reason": "Appointments"}
    made = report(
        tmp_path,
        Spec.load(SECOND),
        entry("PUT", "/v1/caller-trust/brand", brand),  # refused with 404, which the facts on the new one leave out
        entry("POST", f"/v1/agents/{AGENT}/web-call"),
        entry("GET", "/v1/calls?limit=2"),
        entry("GET", "/v1/agents"),
    )
    findings = {(finding.operation.id, finding.where): finding.says for finding in made.findings}
    assert findings == {
        ("v1_calls_get", "answer /data/*/phone_number_id"): "was a string, and is a number now",
        ("v1_agents_get", "query limit"): "is required",
        ("v1_agents_id_web_call_post", "status"): "200 is not declared any more; success is 201",
        ("v1_caller_trust_brand_put", "status"): "404 is not declared any more; success is 200",
        ("v1_caller_trust_brand_put", "body /call_reasons"): "is required",
        ("v1_caller_trust_brand_put", "body /authorizer_name"): "is required",
        ("v1_caller_trust_brand_put", "body /authorizer_email"): "is required",
        ("v1_caller_trust_brand_put", "body /call_reason"): "is not a field of this operation",
    }


def test_paths_with_a_prefix_are_found_and_foreign_ones_counted(tmp_path: Path) -> None:
    gone = changed(lambda item: item.pop("post"))
    made = report(tmp_path, gone, entry("POST", "/prefix/v1/calls/dial", DIAL), entry("GET", "/favicon.ico"))
    assert told(made) == [("operation", "is gone")]
    assert (made.read, made.astray) == (2, 1)


def test_bodies_that_are_no_json_are_passed_over(tmp_path: Path) -> None:
    newer = changed(lambda item: [body(item)["required"].append("reason"), answer(item)["properties"].clear()])
    cut = entry("POST", "/v1/calls/dial", DIAL)
    cut["request"]["postData"]["text"] += "... (70000 bytes)"
    cut["response"]["content"]["text"] = "{"
    assert told(report(tmp_path, newer, cut)) == []


def test_an_answer_in_base64_is_read(tmp_path: Path) -> None:
    newer = changed(lambda item: answer(item)["properties"].pop("status"))
    asked = entry("POST", "/v1/calls/dial", DIAL)
    asked["response"]["content"] = {"encoding": "base64", "text": "eyJkYXRhIjp7InN0YXR1cyI6IlFVRVVFRCJ9fQ=="}
    assert told(report(tmp_path, newer, asked)) == [("answer /data/status", "is not declared any more")]


def test_a_body_that_is_wanted_now_is_told(tmp_path: Path) -> None:
    document = deepcopy(SPEC.document)
    hang_up = document["paths"]["/v1/calls/{id}/hangup"]["post"]
    hang_up["requestBody"] = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
    made = report(tmp_path, Spec(document), entry("POST", "/v1/calls/call_fixture00000001/hangup"))
    assert told(made) == [("body", "is required")]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int | str | None, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(["check-upgrade", *arguments])
    printed = capsys.readouterr()
    return end.value.code, printed.out, printed.err


@pytest.fixture
def journal(tmp_path: Path) -> str:
    secret = {**DIAL, "name": "revdesk_0123456789"}
    return str(write(tmp_path, har(entry("POST", "/v1/calls/dial", secret, _request_id="req_1"))))


@pytest.fixture
def new(tmp_path: Path) -> str:
    path = tmp_path / "new.json"
    path.write_bytes(orjson.dumps(changed(lambda item: answer(item)["properties"].pop("status")).document))
    return str(path)


def test_the_report_shows_each_finding_with_a_curl_line_and_no_secret(
    capsys: pytest.CaptureFixture[str], journal: str, new: str
) -> None:
    code, printed, _ = run(capsys, "--spec", new, "--journal", journal)
    sent = f'{{"from_number":"{MAIN}","to_number":"{ORDINARY}","record":false,"name":"revdesk_****"}}'
    headers = """-H "Authorization: Bearer $REVDESK_API_KEY" -H 'content-type: application/json'"""
    assert code == 1
    assert (
        printed
        == f"""\
POST /v1/calls/dial (v1_calls_dial_post)
  answer /data/status: is not declared any more (1 request)
    req_1 at /data/status: curl -i -X POST {headers} --data-binary '{sent}' {URL}/v1/calls/dial
1 request read: 1 finding in 1 operation
"""
    )


def test_the_report_can_be_read_by_programs(capsys: pytest.CaptureFixture[str], journal: str, new: str) -> None:
    code, printed, _ = run(capsys, "--spec", new, "--journal", journal, "--format", "json")
    document = orjson.loads(printed)
    assert code == 1
    (finding,) = document.pop("findings")
    assert document == {"read": 1, "astray": 0}
    assert finding.pop("example").keys() == {"request", "pointer", "curl"}
    assert finding == {
        "operation": "v1_calls_dial_post",
        "method": "POST",
        "path": "/v1/calls/dial",
        "where": "answer /data/status",
        "says": "is not declared any more",
        "requests": 1,
    }


def test_where_nothing_breaks_the_exit_code_is_0(capsys: pytest.CaptureFixture[str], journal: str, new: str) -> None:
    code, printed, _ = run(capsys, "--spec", new, "--from", new, "--journal", journal)
    assert (code, printed) == (0, "1 request read: nothing breaks\n")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"{", "is not JSON"),
        (b"[]", "is no HAR file: it has no list at /log/entries"),
        (b'{"log": {"entries": {}}}', "is no HAR file: it has no list at /log/entries"),
        (b'{"log": []}', "is no HAR file: it has no list at /log/entries"),
        (b'{"log": {"entries": [{"request": {}}]}}', "is no HAR file at /log/entries/0: it has no 'response'"),
        (b'{"log": {"entries": [7]}}', "is no HAR file at /log/entries/0"),
    ],
)
def test_a_file_that_is_no_har_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    with pytest.raises(StartError) as refusal:
        recorded.read(write(tmp_path, content))
    assert complaint in str(refusal.value)


def test_files_that_are_not_there_are_told(capsys: pytest.CaptureFixture[str], journal: str, new: str) -> None:
    assert (
        run(capsys, "--spec", new, "--journal", "no.har")[2]
        == "revdesk-mock: journal no.har: No such file or directory\n"
    )
    assert "contract no.json: No such file" in run(capsys, "--spec", "no.json", "--journal", journal)[2]


def test_the_journal_of_a_world_is_read_as_it_is_exported(capsys: pytest.CaptureFixture[str], new: str) -> None:
    emulator = Emulator(Settings(seed="upgrade", clock="frozen"), SPEC)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    in_process(emulator)("POST", "/v1/calls/dial", orjson.dumps(DIAL), headers)
    (request,) = emulator.world(KEY).journal.entries()
    path = write(Path(new).parent, export([request], URL, "1"))
    code, printed, _ = run(capsys, "--spec", new, "--journal", str(path))
    assert code == 1
    assert f"    {request.request_id} at /data/status: curl -i -X POST " in printed
