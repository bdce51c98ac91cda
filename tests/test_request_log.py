"""The request log writes one honest line for each request."""

import asyncio
import io
import json

import pytest

from revdesk_mock import request_log
from revdesk_mock.journal import Entry
from revdesk_mock.messages import Reason
from revdesk_mock.request_log import RequestLog


def entry(status: int = 200, code: str | None = None, message: str | None = None, fault: str | None = None) -> Entry:
    reasons = (Reason("schema.type", "body /x", "be a string", "5"),) if code else ()
    return Entry(
        request_id="req_1",
        at=1_767_225_600_123,
        world_at=None,
        took=0.0015,
        method="GET",
        path="/v1/me",
        query="",
        headers={},
        body="",
        world=None,
        api_key_id=None,
        operation=None,
        status=status,
        code=code,
        message=message,
        reasons=reasons,
        answer_headers={},
        answer="",
        fault=fault,
    )


def written(*entries: Entry, level: str = "info", as_json: bool = False, colour: bool = False) -> str:
    stream = io.StringIO()
    log = RequestLog(stream, level, as_json=as_json, colour=colour)
    for each in entries:
        log.add(each)
    return stream.getvalue()


def test_a_line_has_time_method_path_status_and_milliseconds() -> None:
    assert written(entry()) == "00:00:00.123 GET    /v1/me 200 1.5 ms\n"


def test_a_refusal_says_why_on_the_same_line() -> None:
    line = written(entry(400, "validation_error", "x: must\nbe"))
    assert line == "00:00:00.123 GET    /v1/me 400 1.5 ms  validation_error: x: must?be\n"


def test_what_failed_on_order_is_told_with_the_status() -> None:
    lost = entry(200, fault="after_commit: reset")
    assert written(lost) == "00:00:00.123 GET    /v1/me 200 1.5 ms  (after_commit: reset)\n"
    assert json.loads(written(lost, as_json=True))["fault"] == "after_commit: reset"


def test_debug_adds_the_reasons() -> None:
    lines = written(entry(400, "validation_error", "x"), level="debug").splitlines()
    assert lines[1].strip() == "schema.type at body /x: expected be a string, got 5"
    line = json.loads(written(entry(400, "validation_error", "x"), level="debug", as_json=True))
    assert line["reasons"] == ["schema.type"]


@pytest.mark.parametrize(("level", "shown"), [("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_decides_which_requests_are_shown(level: str, shown: int) -> None:
    assert len(written(entry(200), entry(404), entry(500), level=level).splitlines()) == shown


@pytest.mark.parametrize(("status", "colour"), [(200, "32"), (404, "33"), (500, "31")])
def test_colours_tell_success_refusal_and_failure_apart(status: int, colour: str) -> None:
    assert f"\x1b[{colour}m{status}\x1b[0m" in written(entry(status), colour=True)


def test_json_lines_are_json() -> None:
    line = json.loads(written(entry(429, "rate_limited", "slow down"), as_json=True))
    assert (line["status"], line["code"], line["ms"]) == (429, "rate_limited", 1.5)


def test_lines_of_one_turn_of_the_loop_are_written_together() -> None:
    class Counting(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            self.writes += 1
            return super().write(text)

    async def add_three() -> Counting:
        stream = Counting()
        log = RequestLog(stream, "info", as_json=False, colour=False)
        for _ in range(3):
            log.add(entry())
        assert stream.writes == 0
        await asyncio.sleep(0)  # noqa: TID251 lets the loop turn
        return stream

    stream = asyncio.run(add_three())
    assert (stream.writes, len(stream.getvalue().splitlines())) == (1, 3)


def test_colours_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert request_log.wants_colour(Terminal())
    assert not request_log.wants_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not request_log.wants_colour(Terminal())
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert request_log.wants_colour(io.StringIO())
