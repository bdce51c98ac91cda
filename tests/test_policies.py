"""Every policy and every choice of it, each by a small scenario and what it comes to."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from revdesk_mock import ApiError, Emulator, Policies, placement
from revdesk_mock.rtc.casting import Casting
from revdesk_mock.rtc.events import Participant, Said, Track
from revdesk_mock.rtc.mouth import BREATH
from revdesk_mock.rtc.recorder import Recorder
from revdesk_mock.rtc.rooms import Room
from tests.conftest import AGENT, COMPANY, MAIN, ORDINARY, SIGNATURE, Answer, Client, answer_of, emulator_with
from tests.rtc.caller import live, until
from tests.rtc.test_rooms import Ear

PAIR = {"from_number": MAIN, "to_number": ORDINARY}
SPACED_PAIR = b'{"to_number": "+13125550100", "from_number": "+14155550100"}'
READ_ONLY_KEY = "revdesk_readonly_0123456789abcdef"
Outcome = Any
Scenario = Callable[[Client], Outcome]


def outcome(answer: Answer) -> tuple[int, str]:
    """Return status and code; `ok` is the code of a success."""
    return answer.status, "ok" if answer.status < 400 else answer.code


def dial(client: Client, to: str = ORDINARY, **headers: str | None) -> Answer:
    return client.post("/v1/calls/dial", {**PAIR, "to_number": to}, **headers)


def call_after(client: Client, seconds: float, to: str = ORDINARY) -> Any:
    """Dial, let time pass, and return the call as clients see it."""
    call_id = dial(client, to).data["call_id"]
    client.advance(seconds)
    return client.get(f"/v1/calls/{call_id}").data


def mint(client: Client, **body: Any) -> Answer:
    return client.post("/v1/client-tokens", {"from_numbers": [MAIN], **body})


def minted(client: Client, **body: Any) -> Client:
    return Client(client.emulator, mint(client, **body).data["token"])


def admitted(most: int, send: Callable[[], Answer]) -> int:
    """Send until one is refused, at most so often; return how many were not."""
    for count in range(most):
        if send().status >= 400:
            return count
    return most


def remaining(client: Client) -> int:
    return int(client.get("/v1/me").headers["x-ratelimit-remaining"])


# requests


def foreign_id(client: Client) -> Outcome:
    theirs = dial(Client(client.emulator, "revdesk_another")).data["call_id"]
    return outcome(client.get(f"/v1/calls/{theirs}"))


def wrong_method(client: Client) -> Outcome:
    return outcome(client("PUT", "/v1/me"))


def wrong_content_type(client: Client) -> Outcome:
    return outcome(client.post("/v1/calls/dial", PAIR, content_type="text/plain"))


def body_too_large(client: Client) -> Outcome:
    request = replace(client.request("POST", "/v1/calls/dial", PAIR), body=None)
    return outcome(answer_of(asyncio.run(client.emulator.handle(request))))


def unknown_field(client: Client) -> Outcome:
    return outcome(client.post("/v1/calls/dial", {**PAIR, "colour": "red"}))


def bad_cursor(client: Client) -> Outcome:
    answer = client.get("/v1/calls?cursor=of-another-list")
    return outcome(answer), len(answer.data) if answer.status == 200 else None


def own_request_id(client: Client) -> Outcome:
    return client.get("/v1/me", x_request_id="my-own").headers["x-request-id"] == "my-own"


def without_the_scope(client: Client) -> Outcome:
    """Dial without the scope, with a bad body and with a good one."""
    reader = Client(client.emulator, READ_ONLY_KEY)
    return [outcome(reader.post("/v1/calls/dial", body)) for body in ({}, PAIR)]


# idempotency


def duplicates_in_flight(client: Client) -> Outcome:
    async def run() -> list[Answer]:
        tasks = [
            asyncio.create_task(
                client.send("POST", "/v1/calls/dial", PAIR, idempotency_key="a", x_revdesk_mock='{"delay_ms": 1000}')
            )
            for _ in range(3)
        ]
        await asyncio.wait(tasks, timeout=0)
        client.advance(1)
        return list(await asyncio.gather(*tasks))

    return dict(Counter(outcome(answer) for answer in asyncio.run(run())))


def same_body_spelt_otherwise(client: Client) -> Outcome:
    client.post("/v1/calls/dial", PAIR, idempotency_key="a")
    return outcome(client.post("/v1/calls/dial", SPACED_PAIR, idempotency_key="a"))


def key_that_is_no_uuid(client: Client) -> Outcome:
    return outcome(dial(client, idempotency_key="order-17"))


def used_up_by_a_replay(client: Client) -> Outcome:
    dial(client, idempotency_key="a")
    before = remaining(client)
    dial(client, idempotency_key="a")
    return before - remaining(client) - 1


# rate limit


def second_minute(client: Client) -> Outcome:
    """Of a limit of three, use one at once and two a second before the minute ends; count what the next has."""
    limited = Client(Emulator(replace(client.emulator.settings, rate_limit=3)))
    for seconds in (0, 59, 0):
        limited.advance(seconds)
        limited.get("/v1/me")
    limited.advance(1)
    return admitted(5, lambda: limited.get("/v1/me"))


def window_of_a_token(client: Client) -> Outcome:
    token = minted(client)
    return token.get("/v1/me").headers["x-ratelimit-remaining"]


# who may call whom


def caller_not_ours(client: Client) -> Outcome:
    answer = client.post("/v1/calls/dial", {**PAIR, "from_number": ORDINARY})
    return *outcome(answer), list(answer.fields)


def outside_the_bounds(client: Client) -> Outcome:
    return outcome(minted(client, to_numbers=[MAIN]).post("/v1/webrtc-token", PAIR))


def token_mints(client: Client) -> Outcome:
    return outcome(mint(minted(client, scopes=["tokens:mint"])))


def expired_client_token(client: Client) -> Outcome:
    token = minted(client, ttl_seconds=60)
    client.advance(60)
    return outcome(token.get("/v1/me"))


def scope_escalation(client: Client) -> Outcome:
    return outcome(mint(client.with_key(scopes=["tokens:mint"]), scopes=["calls:write"]))


def second_join(client: Client) -> Outcome:
    token = client.post("/v1/webrtc-token", PAIR).data["token"]
    placement.join(client.world, token)
    with pytest.raises(ApiError) as caught:
        placement.join(client.world, token)
    return caught.value.status, caught.value.code


def flag_of_a_new_sub_entity(client: Client) -> Outcome:
    world = client.world
    assert world.organization is not None
    with world.store.transaction():
        world.store.update("organizations", world.organization, hipaa_enabled=True)
    return client.post("/v1/sub-entities", {"name": "Uptown"}).data["hipaa_enabled"]


# guardrails


def magic(digits: int) -> Scenario:
    return lambda client: outcome(dial(client, f"+131255501{digits}"))


def emergency_number(client: Client) -> Outcome:
    return outcome(dial(client, "+911"))[0], magic(90)(client)


def bridges_that_a_day_pays(client: Client) -> Outcome:
    """Count the bridges of 45 minutes (1.26 USD) that a day admits, up to a hundred."""

    def send() -> Answer:
        answer = dial(client, "+13125550109")
        client.advance(45 * 60 + 4)
        client.world.clock.set(start)
        return answer

    start = client.world.clock.now()
    return admitted(100, send)


def channels_at_once(client: Client) -> Outcome:
    """Count the calls of one leg that can be live at a time, up to sixty."""
    return admitted(60, lambda: client.post("/v1/room-token", PAIR))


def calls_within_a_minute(client: Client) -> Outcome:
    """Count the calls that can be placed and hung up within a minute, up to 150."""

    def send() -> Answer:
        answer = dial(client)
        if answer.status == 200:
            client.post(f"/v1/calls/{answer.data['call_id']}/hangup")
        return answer

    return admitted(150, send)


# calls and tokens


def statuses(client: Client) -> Outcome:
    answer = dial(client)
    client.advance(10)
    hung_up = client.post(f"/v1/calls/{answer.data['call_id']}/hangup")
    listed = client.get("/v1/calls?status=completed").data[0]
    return answer.data["status"], hung_up.data["status"], listed["status"]


def failures(client: Client) -> Outcome:
    ends = [call_after(client, 60, f"+131255501{digits}")["status"] for digits in ("05", "06", "02")]
    return ends, len(client.get("/v1/calls?status=failed").data)


def seconds_talked(client: Client) -> Outcome:
    return call_after(client, 20_000)["duration_seconds"]


def lives(path: str) -> Scenario:
    """Return a scenario that tells how long a token is said to live, and whether it lives so long."""

    def scenario(client: Client) -> Outcome:
        body = None if path.endswith("web-call") else {**PAIR, "to_number": "+13125550111"}
        seconds = client.post(path, body).data["expires_in"]
        token = client.world.store.all("tokens")[-1]
        states = []
        for pause in (seconds - 0.001, 0.001):
            client.advance(pause)
            states.append(client.world.join_tokens.state(token))
        return seconds, states

    return scenario


def lived(seconds: int) -> Outcome:
    return seconds, ["issued", "expired"]


def web_call_in_list(client: Client) -> Outcome:
    before = client.get("/v1/calls").body
    client.post(f"/v1/agents/{AGENT}/web-call")
    after = client.get("/v1/calls").body
    added = len(after["data"]) - len(before["data"])
    assert after["meta"]["total_results"] - before["meta"]["total_results"] == added
    return added


def room_url(client: Client) -> Outcome:
    plain = client.post("/v1/room-token", PAIR).data["room_url"]
    request = replace(client.request("POST", "/v1/room-token", PAIR), scheme="https")
    secure = answer_of(asyncio.run(client.emulator.handle(request))).data["room_url"]
    return plain.partition(":")[0], secure.partition(":")[0]


def minutes_used(client: Client) -> Outcome:
    before = client.get("/v1/usage/1001").data["minutes_used"]
    call_id = dial(client, "+13125550109").data["call_id"]
    client.advance(4 + 90)
    client.post(f"/v1/calls/{call_id}/hangup")
    return round(client.get("/v1/usage/1001").data["minutes_used"] - before, 9)


# numbers and messages


def active_after(*instants: float) -> Scenario:
    """Return a scenario that buys a number and looks at it at these seconds."""

    def scenario(client: Client) -> Outcome:
        client.post("/v1/phone-numbers", {"phone_number": "+13125550177"})
        seen, bought = [], client.world.clock.now()
        for seconds in instants:
            client.world.clock.set(bought + round(seconds * 1000))
            seen.append(client.get("/v1/phone-numbers").data[0]["is_active"])
        return seen

    return scenario


def cnam_live_after(*hours: float) -> Scenario:
    """Return a scenario that sets a CNAM and asks the carrier at these hours."""

    def scenario(client: Client) -> Outcome:
        client("PATCH", "/v1/phone-numbers/1001", {"cnam_display_name": "HARBOR DENTAL"})
        seen, changed = [], client.world.clock.now()
        for hour in hours:
            client.world.clock.set(changed + round(hour * 3_600_000))
            answer = client.get("/v1/phone-numbers/1001/cnam-status").data
            seen.append((answer["cnam_status"], answer["live_enabled"]))
        return seen

    return scenario


def text_without_approval(client: Client) -> Outcome:
    client.post("/v1/phone-numbers", {"phone_number": "+13125550177"})
    client.advance(60)
    message = {"to": ORDINARY, "message": "Hello"}
    senders = ("+13125550177", MAIN)
    return [outcome(client.post("/v1/sms/send", {**message, "from": sender})) for sender in senders]


def watched_after_buying(client: Client) -> Outcome:
    client.post("/v1/phone-numbers", {"phone_number": "+13125550177"})
    client.advance(60)
    return [number["phone_number"] for number in client.get("/v1/caller-trust/reputation/numbers").data]


def last_refresh(client: Client) -> Outcome:
    return client.get(f"/v1/caller-trust/reputation/numbers/{MAIN}").data["last_refreshed_at"]


FORBIDDEN, UNAUTHORIZED = (403, "forbidden"), (401, "unauthorized")
INVALID, CONFLICT = (400, "validation_error"), (409, "conflict")
OK = (200, "ok")


def caller_id_of(client: Client) -> Any:
    answer = client.post("/v1/caller-ids", {"phone_number": "+13125550177"}).data
    return answer, client.world.store.get("caller_ids", answer["caller_id_id"])


def code_in_the_answer(client: Client) -> Outcome:
    answer, record = caller_id_of(client)
    return bool(answer["validation_code"] == record["code"])


def caller_id_after(*seconds: float) -> Scenario:
    def scenario(client: Client) -> Outcome:
        caller_id_of(client)
        start = client.world.clock.now()
        seen = []
        for second in seconds:
            client.advance(second - (client.world.clock.now() - start) / 1000)
            seen.append(client.get("/v1/caller-ids").data[0]["status"])
        return seen

    return scenario


def pushed_after(*seconds: float) -> Scenario:
    """Return a scenario that submits a brand at 09:00 UTC and looks at it at these seconds."""

    def scenario(client: Client) -> Outcome:
        world, path = client.world, "/v1/caller-trust/brand"
        assert world.organization is not None
        enterprise = {"id": world.dice.uuid(), "organization_id": world.organization["id"], "status": "DRAFT"}
        with world.store.transaction():
            world.store.insert("enterprises", enterprise)
        client("PUT", path, {"display_name": "Harbor Dental", "call_reason": "Your appointment"})
        with world.store.transaction():
            world.store.update(
                "brands", world.store.all("brands")[0], logo_url="https://harbor-dental.example/logo.png"
            )
        client.post(f"{path}/submit")
        seen, start = [], world.clock.now()
        for second in seconds:
            client.advance(second - (world.clock.now() - start) / 1000)
            seen.append(client.get(path).data["status"])
        return seen

    return scenario


def signed_enterprise(client: Client, **body: Any) -> Answer:
    client.post("/v1/caller-trust/enterprise", COMPANY)
    return client.post("/v1/caller-trust/enterprise/sign-and-submit", {**SIGNATURE, **body})


def submitted_enterprise(client: Client) -> Outcome:
    """Submit without a signature, look at once and after the vetting, and try to edit."""
    client.post("/v1/caller-trust/enterprise", COMPANY)
    submitted = client.post("/v1/caller-trust/enterprise/submit").data
    client.advance(60)
    shown = client.get("/v1/caller-trust/enterprise").data
    edit = client("PATCH", f"/v1/caller-trust/enterprise/{shown['id']}", {"dba": "Harbor"})
    return submitted["status"], shown["status"], edit.status


def consent_of_tomorrow(client: Client) -> Outcome:
    return outcome(signed_enterprise(client, consent_acknowledged_at="2026-01-06T09:00:00Z"))


def agents_behaviour(client: Client) -> Outcome:
    """Return what the agent of a web call is to do, and what of somebody's voice it says back."""
    client.post(f"/v1/agents/{AGENT}/web-call")
    [call] = client.world.store.all("calls")[-1:]
    room, ear = Room(call["room_name"], "RM_1"), Ear()
    Casting(Recorder()).open_room(client.world, room, call)
    room.join(Participant("PA_ann", "ann"), ear)
    room.publish("ann", Track("TR_ann", "microphone"))
    room.sound("ann", "TR_ann", b"mine")
    return call["behaviour"]["mode"], [packet for _, _, packet in ear.heard]


def called_party(client: Client) -> Outcome:
    """Talk to a called party that has said its sentence, and return what is heard after that."""

    @live
    async def talk() -> None:
        room.activate("ann")
        await until(lambda: any(isinstance(event, Said) and event.is_final for event in ear.told))
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        ear.heard.clear()
        for _ in range(BREATH + 1):
            room.sound("ann", "TR_ann", b"mine")

    room, ear = Room("room_1", "RM_1"), Ear()
    client.post("/v1/room-token", {**PAIR, "to_number": "+13125550108"})
    client.advance(1)
    Casting(Recorder()).open_room(client.world, room, client.world.store.all("calls")[-1])
    room.join(Participant("PA_ann", "ann"), ear)
    room.publish("ann", Track("TR_ann", "microphone"))
    talk()
    return [packet for _, _, packet in ear.heard]


def deleted_enterprise(client: Client) -> Outcome:
    enterprise = signed_enterprise(client).data["id"]
    client("DELETE", "/v1/caller-trust/enterprise")
    return outcome(client.get(f"/v1/caller-trust/enterprise/{enterprise}"))


def enterprise_after(*seconds: float) -> Scenario:
    """Return a scenario that signs a registration and looks at it at these seconds."""

    def scenario(client: Client) -> Outcome:
        seen = [signed_enterprise(client).data["status"]]
        start = client.world.clock.now()
        for second in seconds:
            client.advance(second - (client.world.clock.now() - start) / 1000)
            seen.append(client.get("/v1/caller-trust/enterprise").data["status"])
        return seen

    return scenario


TABLE: list[tuple[str, str | int | None, Scenario, Outcome]] = [
    ("wrong_method_status", "405", wrong_method, (405, "method_not_allowed")),
    ("wrong_method_status", "404", wrong_method, (404, "route_not_found")),
    ("foreign_id_status", "404", foreign_id, (404, "not_found")),
    ("foreign_id_status", "403", foreign_id, (403, "forbidden")),
    ("wrong_content_type_status", "400", wrong_content_type, INVALID),
    ("wrong_content_type_status", "415", wrong_content_type, (415, "validation_error")),
    ("body_too_large_status", "400", body_too_large, INVALID),
    ("body_too_large_status", "413", body_too_large, (413, "validation_error")),
    ("unknown_body_fields", "ignore", unknown_field, OK),
    ("unknown_body_fields", "reject", unknown_field, INVALID),
    ("bad_cursor", "reject", bad_cursor, (INVALID, None)),
    ("bad_cursor", "ignore", bad_cursor, (OK, 3)),
    ("request_id", "generate", own_request_id, False),
    ("request_id", "echo", own_request_id, True),
    ("scope_check", "before_validation", without_the_scope, [FORBIDDEN, FORBIDDEN]),
    ("scope_check", "after_validation", without_the_scope, [INVALID, FORBIDDEN]),
    ("idempotency_in_flight", "conflict", duplicates_in_flight, {OK: 1, (409, "idempotency_conflict"): 2}),
    ("idempotency_in_flight", "wait", duplicates_in_flight, {OK: 3}),
    ("idempotency_body", "canonical", same_body_spelt_otherwise, OK),
    ("idempotency_body", "bytes", same_body_spelt_otherwise, (409, "idempotency_conflict")),
    ("idempotency_key_format", "any", key_that_is_no_uuid, OK),
    ("idempotency_key_format", "uuid", key_that_is_no_uuid, INVALID),
    ("idempotency_replay_counts", "yes", used_up_by_a_replay, 1),
    ("idempotency_replay_counts", "no", used_up_by_a_replay, 0),
    ("rate_limit_window", "fixed", second_minute, 3),
    ("rate_limit_window", "sliding", second_minute, 1),
    ("client_token_bucket", "parent", window_of_a_token, "598"),
    ("client_token_bucket", "own", window_of_a_token, "599"),
    ("unverified_caller_id_status", "422", caller_not_ours, (422, "caller_id_not_verified", ["from_number"])),
    ("unverified_caller_id_status", "403", caller_not_ours, (*FORBIDDEN, [])),
    ("unverified_caller_id_status", "404", caller_not_ours, (404, "not_found", [])),
    ("unverified_caller_id_status", "400", caller_not_ours, (*INVALID, ["from_number"])),
    ("client_token_bounds_status", "403", outside_the_bounds, FORBIDDEN),
    ("client_token_bounds_status", "400", outside_the_bounds, INVALID),
    ("client_token_mint_status", "403", token_mints, FORBIDDEN),
    ("client_token_mint_status", "401", token_mints, UNAUTHORIZED),
    ("expired_client_token_status", "401", expired_client_token, UNAUTHORIZED),
    ("expired_client_token_status", "403", expired_client_token, FORBIDDEN),
    ("scope_escalation_status", "403", scope_escalation, FORBIDDEN),
    ("scope_escalation_status", "400", scope_escalation, INVALID),
    ("token_reuse_status", "401", second_join, UNAUTHORIZED),
    ("token_reuse_status", "403", second_join, FORBIDDEN),
    ("token_reuse_status", "409", second_join, CONFLICT),
    ("destination_status", "403", emergency_number, (403, (403, "destination_not_allowed"))),
    ("destination_status", "400", emergency_number, (400, (400, "destination_not_allowed"))),
    ("destination_status", "422", emergency_number, (422, (422, "destination_not_allowed"))),
    ("spend_cap_status", "403", magic(91), (403, "spend_cap_exceeded")),
    ("spend_cap_status", "402", magic(91), (402, "spend_cap_exceeded")),
    ("spend_cap_status", "429", magic(91), (429, "spend_cap_exceeded")),
    ("concurrency_status", "429", magic(92), (429, "concurrency_limit_exceeded")),
    ("concurrency_status", "409", magic(92), (409, "concurrency_limit_exceeded")),
    ("concurrency_status", "403", magic(92), (403, "concurrency_limit_exceeded")),
    ("carrier_rejection_status", "409", magic(93), (409, "carrier_rejected")),
    ("carrier_rejection_status", "422", magic(93), (422, "carrier_rejected")),
    ("carrier_rejection_status", "403", magic(93), (403, "carrier_rejected")),
    # 79 bridges of 1.26 USD make 99.54 USD: the first minute of one more is below 100 USD.
    ("daily_spend_cap_cents", 10_000, bridges_that_a_day_pays, 80),
    ("daily_spend_cap_cents", 300, bridges_that_a_day_pays, 3),
    ("daily_spend_cap_cents", 0, bridges_that_a_day_pays, 0),
    ("daily_spend_cap_cents", None, bridges_that_a_day_pays, 100),
    ("concurrency_cap", 50, channels_at_once, 50),
    ("concurrency_cap", 3, channels_at_once, 3),
    ("concurrency_cap", 0, channels_at_once, 0),
    ("concurrency_cap", None, channels_at_once, 60),
    ("calls_per_minute", 120, calls_within_a_minute, 120),
    ("calls_per_minute", 2, calls_within_a_minute, 2),
    ("calls_per_minute", 0, calls_within_a_minute, 0),
    ("calls_per_minute", None, calls_within_a_minute, 150),
    ("call_status_case", "upper", statuses, ("QUEUED", "COMPLETED", "COMPLETED")),
    ("call_status_case", "lower", statuses, ("queued", "completed", "completed")),
    ("failed_call_status", "detailed", failures, (["DECLINED", "UNREACHABLE", "BUSY"], 0)),
    ("failed_call_status", "failed", failures, (["FAILED", "FAILED", "BUSY"], 2)),
    ("talk_seconds", 30, seconds_talked, 30),
    ("talk_seconds", 1, seconds_talked, 1),
    ("talk_seconds", 14_400, seconds_talked, 14_400),
    ("webrtc_token_ttl_seconds", 14_400, lives("/v1/webrtc-token"), lived(14_400)),
    ("webrtc_token_ttl_seconds", 60, lives("/v1/webrtc-token"), lived(60)),
    ("room_token_ttl_seconds", 3_600, lives("/v1/room-token"), lived(3_600)),
    ("room_token_ttl_seconds", 90, lives("/v1/room-token"), lived(90)),
    ("web_call_ttl_seconds", 900, lives(f"/v1/agents/{AGENT}/web-call"), lived(900)),
    ("web_call_ttl_seconds", 60, lives(f"/v1/agents/{AGENT}/web-call"), lived(60)),
    ("web_calls_in_list", "yes", web_call_in_list, 1),
    ("web_calls_in_list", "no", web_call_in_list, 0),
    ("room_url_scheme", "ws", room_url, ("ws", "wss")),
    ("room_url_scheme", "http", room_url, ("http", "https")),
    ("usage_minutes", "ceil", minutes_used, 2),
    ("usage_minutes", "exact", minutes_used, 1.5),
    ("provisioning_seconds", 5, active_after(0, 4.999, 5), [False, False, True]),
    ("provisioning_seconds", 0, active_after(0), [True]),
    ("provisioning_seconds", 86_400, active_after(86_399.999, 86_400), [False, True]),
    ("cnam_propagation_hours", 48, cnam_live_after(47.9, 48), [("PENDING", False), ("APPROVED", True)]),
    ("cnam_propagation_hours", 0, cnam_live_after(0), [("APPROVED", True)]),
    ("cnam_propagation_hours", 72, cnam_live_after(48, 72), [("PENDING", False), ("APPROVED", True)]),
    ("caller_id_code", "hidden", code_in_the_answer, False),
    ("caller_id_code", "shown", code_in_the_answer, True),
    ("caller_id_code_minutes", 10, caller_id_after(60, 599.999, 600), ["PENDING", "PENDING", "EXPIRED"]),
    ("caller_id_code_minutes", 1, caller_id_after(59.999, 60), ["PENDING", "EXPIRED"]),
    ("sub_entity_inherits_hipaa", "no", flag_of_a_new_sub_entity, False),
    ("sub_entity_inherits_hipaa", "yes", flag_of_a_new_sub_entity, True),
    ("brand_push", "nightly", pushed_after(0, 16 * 3600, 17 * 3600), ["PENDING_SUBMIT", "PENDING_SUBMIT", "SUBMITTED"]),
    ("brand_push", "at_once", pushed_after(0, 60), ["SUBMITTED", "APPROVED"]),
    ("enrol_on_purchase", "yes", watched_after_buying, ["+13125550177", MAIN]),
    ("enrol_on_purchase", "no", watched_after_buying, [MAIN]),
    ("score_refresh", "daily", last_refresh, "2026-01-05T00:00:00.000Z"),
    ("score_refresh", "weekly", last_refresh, "2026-01-02T00:00:00.000Z"),
    ("submitted_enterprise_status", "DRAFT", submitted_enterprise, ("DRAFT", "DRAFT", 200)),
    ("submitted_enterprise_status", "PENDING_VETTING", submitted_enterprise, ("PENDING_VETTING", "APPROVED", 409)),
    ("agent_mode", "echo", agents_behaviour, ("echo", [b"mine"])),
    ("agent_mode", "speak", agents_behaviour, ("speak", [])),
    ("agent_mode", "tone", agents_behaviour, ("tone", [])),
    ("agent_mode", "silent", agents_behaviour, ("silent", [])),
    ("agent_mode", "hangup_after", agents_behaviour, ("hangup_after", [])),
    ("called_party_mode", "echo", called_party, [b"mine"]),
    ("called_party_mode", "silent", called_party, []),
    ("deleted_enterprise", "shown", deleted_enterprise, OK),
    ("deleted_enterprise", "not_found", deleted_enterprise, (404, "not_found")),
    ("future_consent", "reject", consent_of_tomorrow, INVALID),
    ("future_consent", "accept", consent_of_tomorrow, OK),
    ("vetting_seconds", 60, enterprise_after(59.999, 60), ["PENDING_VETTING", "PENDING_VETTING", "APPROVED"]),
    ("vetting_seconds", 0, enterprise_after(0), ["PENDING_VETTING", "APPROVED"]),
    ("vetting_seconds", 86_400, enterprise_after(60, 86_400), ["PENDING_VETTING", "PENDING_VETTING", "APPROVED"]),
    ("texting_approval", "ignored", text_without_approval, [OK, OK]),
    ("texting_approval", "required", text_without_approval, [CONFLICT, OK]),
]


@pytest.mark.parametrize(
    ("name", "choice", "scenario", "expected"),
    TABLE,
    ids=[f"{name}={'off' if choice is None else choice}" for name, choice, _, _ in TABLE],
)
def test_a_choice_does_what_it_says(name: str, choice: str | int | None, scenario: Scenario, expected: Outcome) -> None:
    emulator = emulator_with(**{name: choice})
    assert scenario(Client(emulator)) == expected
    assert emulator.pipeline.breaches == []


POLICIES = pytest.mark.parametrize("policy", fields(Policies), ids=lambda policy: policy.name)


@POLICIES
def test_every_choice_of_every_policy_is_in_the_table(policy: Any) -> None:
    shown = {choice for name, choice, _, _ in TABLE if name == policy.name}
    assert policy.default in shown
    if "choices" in policy.metadata:
        assert shown == set(policy.metadata["choices"])
    else:
        low, high = policy.metadata["range"]
        numbers = shown - {None}
        assert len(numbers) > 1
        assert all(low <= number <= high for number in numbers)
        assert (None in shown) == bool(policy.metadata.get("off"))


def test_the_table_has_no_policy_that_there_is_not() -> None:
    assert {name for name, *_ in TABLE} == {policy.name for policy in fields(Policies)}


@POLICIES
def test_the_choices_of_a_policy_can_be_told_apart(policy: Any) -> None:
    rows = [(choice, expected) for name, choice, _, expected in TABLE if name == policy.name]
    if "choices" in policy.metadata:
        assert all(rows[i][1] != rows[j][1] for i in range(len(rows)) for j in range(i))
    else:
        assert any(expected != rows[0][1] for _, expected in rows)
