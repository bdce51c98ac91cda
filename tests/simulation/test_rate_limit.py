"""The one-minute window of a key: what is counted, what is refused, what the headers say, what is given back."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import ApiError, Emulator, Policies, Settings
from revdesk_mock.clock import EPOCH, MINUTE, SECOND
from revdesk_mock.settings import RateLimit as Limit
from revdesk_mock.simulation.rate_limit import RateLimit
from tests.conftest import MAIN, ORDINARY, Client

WINDOWS = pytest.mark.parametrize("sliding", [False, True], ids=["fixed", "sliding"])
DEMO_KEY = "revdesk_demo_0123456789abcdef"


def limited(limit: Limit, **policies: Any) -> Client:
    return Client(Emulator(Settings(seed="test", clock="frozen", rate_limit=limit, policies=Policies(**policies))))


def admitted(window: RateLimit, seconds: float) -> bool:
    try:
        window.hit(EPOCH + round(seconds * SECOND))
    except ApiError:
        return False
    return True


def refusal(window: RateLimit, seconds: float) -> ApiError:
    with pytest.raises(ApiError) as caught:
        window.hit(EPOCH + round(seconds * SECOND))
    return caught.value


# the window itself


@WINDOWS
def test_a_window_admits_its_limit_and_not_one_more(*, sliding: bool) -> None:
    window = RateLimit(3, sliding=sliding)
    assert [admitted(window, 0) for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("sliding", "again"), [(False, [True, True, False]), (True, [True, False, False])], ids=["fixed", "sliding"]
)
def test_after_a_minute_a_fixed_window_restarts_and_a_sliding_one_moves_along(
    *,
    sliding: bool,
    again: list[bool],
) -> None:
    window = RateLimit(2, sliding=sliding)
    assert [admitted(window, 0), admitted(window, 59), admitted(window, 59.999)] == [True, True, False]
    assert [admitted(window, 60) for _ in again] == again


@WINDOWS
def test_a_refused_request_is_not_counted(*, sliding: bool) -> None:
    window = RateLimit(1, sliding=sliding)
    assert admitted(window, 0)
    assert not any(admitted(window, second) for second in (10, 30, 59))
    assert admitted(window, 60)


@WINDOWS
@pytest.mark.parametrize(
    ("seconds", "wait"), [(0, "60"), (0.001, "60"), (1, "59"), (59, "1"), (59.5, "1"), (59.999, "1")]
)
def test_retry_after_is_the_whole_seconds_until_there_is_room(*, sliding: bool, seconds: float, wait: str) -> None:
    window = RateLimit(1, sliding=sliding)
    window.hit(EPOCH)
    assert dict(refusal(window, seconds).headers)["retry-after"] == wait
    assert admitted(window, seconds + int(wait))


@WINDOWS
def test_a_window_that_is_full_in_the_future_does_not_bind_a_clock_moved_backwards(*, sliding: bool) -> None:
    window = RateLimit(2, sliding=sliding)
    assert [admitted(window, 3600) for _ in range(3)] == [True, True, False]
    assert [admitted(window, 0) for _ in range(3)] == [True, True, False]
    assert admitted(window, 60)


@WINDOWS
def test_requests_of_before_a_move_backwards_leave_the_window_like_any_other(*, sliding: bool) -> None:
    window = RateLimit(3, sliding=sliding)
    for second in (0, 50, 10, 60):
        assert admitted(window, second)
    # Of the minute that ends now, only the requests of 50 and 60 are left.
    assert admitted(window, 70.001)


@WINDOWS
def test_a_refund_makes_room_for_one_more(*, sliding: bool) -> None:
    window = RateLimit(2, sliding=sliding)
    assert admitted(window, 0)
    counted = window.hit(EPOCH)
    assert counted is not None
    assert window.refund(counted).remaining == 1
    assert [admitted(window, 1), admitted(window, 1)] == [True, False]


@WINDOWS
def test_a_refund_of_what_left_the_window_makes_no_room(*, sliding: bool) -> None:
    window = RateLimit(1, sliding=sliding)
    counted = window.hit(EPOCH)
    assert counted is not None
    assert admitted(window, 60)
    window.refund(counted)
    assert not admitted(window, 60)


def test_without_a_limit_nothing_is_counted() -> None:
    window = RateLimit(None)
    assert all(window.hit(EPOCH) is None for _ in range(1000))


@given(st.lists(st.integers(0, 20), min_size=1, max_size=60), st.integers(1, 4))
def test_no_minute_of_a_sliding_window_holds_more_than_the_limit(pauses: Sequence[int], limit: int) -> None:
    window, now = RateLimit(limit, sliding=True), 0
    kept: list[int] = []
    for pause in pauses:
        now += pause
        recent = [hit for hit in kept if now - hit < 60]
        assert admitted(window, now) == (len(recent) < limit)
        if len(recent) < limit:
            kept.append(now)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.integers(1, 4))
def test_a_fixed_window_opens_with_the_first_request_after_the_last_one_closed(
    pauses: Sequence[int], limit: int
) -> None:
    window, now, opened, count = RateLimit(limit), 0, -60, 0
    for pause in pauses:
        now += pause
        if now - opened >= 60:
            opened, count = now, 0
        assert admitted(window, now) == (count < limit)
        count += 1


# what a client sees of it


def test_every_answer_tells_where_the_client_stands(client: Client) -> None:
    start = client.world.clock.now()
    client.get("/v1/me")
    client.advance(12.5)
    headers = client.get("/v1/me").headers
    assert headers["x-ratelimit-limit"] == "600"
    assert headers["x-ratelimit-remaining"] == "598"
    assert headers["x-ratelimit-reset"] == str(start + MINUTE)
    assert headers["ratelimit"] == '"default";r=598;t=48'
    assert headers["ratelimit-policy"] == '"default";q=600;w=60'
    assert "retry-after" not in headers


def test_a_demo_key_has_120_requests_a_minute(client: Client) -> None:
    assert Client(client.emulator, DEMO_KEY).get("/v1/me").headers["x-ratelimit-limit"] == "120"


def test_one_key_does_not_use_up_the_window_of_another() -> None:
    client = limited(1)
    assert client.get("/v1/me").status == 200
    assert client.get("/v1/me").status == 429
    assert Client(client.emulator, "another-key").get("/v1/me").status == 200


def test_a_full_window_answers_429_with_the_whole_header_set_once() -> None:
    client = limited(1)
    client.get("/v1/me")
    client.advance(20)
    response = asyncio.run(client.emulator.handle(client.request("GET", "/v1/me")))
    names = [name for name, _ in response.headers]
    headers = dict(response.headers)
    assert response.status == 429
    assert len(names) == len(set(names))
    assert headers["retry-after"] == "40"
    assert headers["x-ratelimit-limit"] == "1"
    assert headers["x-ratelimit-remaining"] == "0"
    assert headers["ratelimit"] == '"default";r=0;t=40'


def test_a_full_window_names_its_code_and_when_to_come_back() -> None:
    client = limited(1)
    client.get("/v1/me")
    answer = client.get("/v1/me")
    assert answer.code == "rate_limited"
    assert "60 s" in answer.body["error"]["message"]


def test_a_full_window_refuses_before_anything_is_looked_at() -> None:
    client = limited(1)
    client.get("/v1/me")
    assert client.post("/v1/calls/dial", b"no json").status == 429


def test_coming_back_after_retry_after_is_admitted() -> None:
    client = limited(1)
    client.get("/v1/me")
    client.advance(int(client.get("/v1/me").headers["retry-after"]))
    assert client.get("/v1/me").status == 200


def test_off_sends_no_header_and_refuses_nothing() -> None:
    client = limited("off")
    answers = [client.get("/v1/me") for _ in range(700)]
    assert {answer.status for answer in answers} == {200}
    assert not [name for name in answers[-1].headers if "ratelimit" in name]


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/v1/calls", {}),
        ("GET", "/v1/calls/call_of_nobody", None),
        ("GET", "/v1/calls?limit=zero", None),
        ("POST", "/v1/calls/dial", {"from_number": ORDINARY, "to_number": ORDINARY}),
    ],
    ids=["bad body", "no such record", "bad query", "caller not ours"],
)
def test_a_refused_request_counts_and_says_so(client: Client, method: str, target: str, body: object) -> None:
    assert client(method, target, body).headers["x-ratelimit-remaining"] == "599"
    assert client.get("/v1/me").headers["x-ratelimit-remaining"] == "598"


def test_a_request_without_a_key_counts_for_nobody(client: Client) -> None:
    assert "x-ratelimit-limit" not in client.get("/v1/me", authorization=None).headers
    assert client.get("/v1/me").headers["x-ratelimit-remaining"] == "599"


# replays


def settings_change(client: Client, key: str) -> str:
    answer = client("PATCH", "/v1/sms/config", {"reply_delay_seconds": 1}, idempotency_key=key)
    assert answer.status == 200
    return answer.headers["x-ratelimit-remaining"]


def test_a_replay_counts_like_any_request(client: Client) -> None:
    assert [settings_change(client, "a") for _ in range(3)] == ["599", "598", "597"]


def test_by_policy_a_replay_is_free() -> None:
    client = limited(600, idempotency_replay_counts="no")
    for _ in range(5):
        settings_change(client, "a")
    assert client.get("/v1/me").headers["x-ratelimit-remaining"] == "598"


def test_a_free_replay_shows_that_nothing_was_used_up() -> None:
    client = limited(600, idempotency_replay_counts="no")
    assert [settings_change(client, "a") for _ in range(3)] == ["599", "599", "599"]


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_a_replay_that_waited_into_another_window_takes_nothing_from_it(window: str) -> None:
    client = limited(9, idempotency_replay_counts="no", idempotency_in_flight="wait", rate_limit_window=window)
    body = {"from_number": MAIN, "to_number": ORDINARY}

    async def run() -> list[int]:
        first, second = (
            asyncio.ensure_future(
                client.send("POST", "/v1/calls/dial", body, idempotency_key="a", x_revdesk_mock='{"delay_ms": 90000}')
            )
            for _ in range(2)
        )
        await asyncio.wait([first, second], timeout=0)
        client.advance(70)
        looks = [await client.send("GET", "/v1/me") for _ in range(2)]
        client.advance(20)
        assert (await first).status == (await second).status == 200
        assert (await second).headers["idempotency-replay"] == "true"
        looks.append(await client.send("GET", "/v1/me"))
        return [int(look.headers["x-ratelimit-remaining"]) for look in looks]

    assert asyncio.run(run()) == [8, 7, 6]
