"""Phone numbers: search, list, settings, CNAM, texting overrides and release."""

from typing import Any

import pytest

from revdesk_mock import ApiError, Emulator, Settings, placement
from tests.conftest import AGENT, MAIN, NEWER_AGENT, ORDINARY, RECALL, VERIFIED, Answer, Client, emulator_with

HOUR = 3600
FOR_SALE = "+13125550142"
UNKNOWN_AGENT = "00000000-0000-4000-8000-000000000000"
NO_OVERRIDE = {"has_override": False, "auto_reply_enabled": None, "reply_delay_seconds": None, "default_prompt": None}


def search(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"/v1/phone-numbers/search?{query}")
    assert answer.status == 200
    assert answer.body["meta"] == {"page_size": len(answer.data)}
    return list(answer.data)


def found(client: Client, query: str = "") -> list[str]:
    return [offer["phone_number"] for offer in search(client, query)]


def bought(client: Client, number: str = FOR_SALE) -> str:
    """Buy a number and wait until it is active; return its path."""
    record = client.post("/v1/phone-numbers", {"phone_number": number}).data["phone_record_id"]
    client.advance(5)
    return f"/v1/phone-numbers/{record}"


def patch(client: Client, path: str = "/v1/phone-numbers/1001", **changes: Any) -> Answer:
    return client("PATCH", path, changes)


def call_from(client: Client, caller: str, to: str = ORDINARY) -> Any:
    return client.post("/v1/room-token", {"from_number": caller, "to_number": to}).data


def cnam(client: Client, path: str = "/v1/phone-numbers/1001") -> dict[str, Any]:
    return dict(client.get(f"{path}/cnam-status").data)


def listed(client: Client, number: str) -> dict[str, Any]:
    return next(each for each in client.get("/v1/phone-numbers").data if each["phone_number"] == number)


# search


@pytest.mark.parametrize(
    ("query", "start"),
    [
        ("", "+1"),
        ("country=US&area_code=312", "+1312555"),
        ("country=CA", "+1403555"),
        ("country=ca&area_code=416", "+1416555"),
        ("country=GB", "+44"),
        ("country=GB&area_code=161", "+44161496"),
        ("country=GB&number_type=mobile", "+447700900"),
        ("country=GB&number_type=national", "+443069990"),
        ("number_type=tollFree", "+18"),
        ("number_type=tollFree&area_code=833", "+1833555"),
        ("in_region=HI", "+1808555"),
        ("in_region=hi", "+1808555"),
        ("in_region=Chicago&area_code=773", "+1773555"),
        ("country=GB&in_region=Scotland", "+44131496"),
    ],
)
def test_a_search_finds_what_was_asked_for(client: Client, query: str, start: str) -> None:
    numbers = found(client, query)
    assert len(numbers) == 50
    assert all(number.startswith(start) for number in numbers)


def test_contains_looks_for_digits_in_the_number(client: Client) -> None:
    numbers = found(client, "contains=50177")
    assert numbers
    assert all("50177" in number for number in numbers)


def test_contains_reads_past_punctuation(client: Client) -> None:
    assert found(client, "contains=(312)%20555-0177") == ["+13125550177"]


def test_every_filter_applies_at_once(client: Client) -> None:
    assert found(client, "country=US&area_code=312&contains=0142&in_region=IL&number_type=local") == [FOR_SALE]


@pytest.mark.parametrize(
    "query",
    ["country=DE", "area_code=999", "in_region=Atlantis", "number_type=mobile", "contains=0000000", "area_code="],
)
def test_a_search_that_nothing_fits_is_empty(client: Client, query: str) -> None:
    assert found(client, query) == []


def test_an_offer_has_its_place_and_its_features(client: Client) -> None:
    assert search(client, "contains=13125550142") == [
        {"phone_number": FOR_SALE, "locality": "Chicago", "region": "IL", "features": ["voice", "sms"]}
    ]


def test_a_number_without_texting_says_so(client: Client) -> None:
    assert search(client, "country=GB&number_type=national&limit=1")[0]["features"] == ["voice"]


def test_a_search_answers_at_most_50(client: Client) -> None:
    assert len(found(client, "limit=50")) == 50
    assert found(client, "limit=3") == found(client)[:3]


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=51", "limit"), ("limit=0", "limit"), ("country=USA", "country"), ("number_type=fax", "number_type")],
)
def test_a_search_out_of_its_bounds_is_refused(client: Client, query: str, field: str) -> None:
    answer = client.get(f"/v1/phone-numbers/search?{query}")
    assert answer.status == 400
    assert set(answer.fields) == {field}


def test_the_inventory_is_the_same_everywhere_and_every_time(client: Client) -> None:
    elsewhere = Client(Emulator(Settings(seed="another", clock="frozen")), "revdesk_another")
    assert search(client, "area_code=312") == search(client, "area_code=312") == search(elsewhere, "area_code=312")


def test_owned_numbers_are_left_out_until_they_are_released(client: Client) -> None:
    assert MAIN not in found(client, "area_code=415")
    client("DELETE", "/v1/phone-numbers/1001")
    assert found(client, "area_code=415")[0] == MAIN


def test_a_pending_number_is_left_out_too(client: Client) -> None:
    assert found(client, "contains=13125550142") == [FOR_SALE]
    client.post("/v1/phone-numbers", {"phone_number": FOR_SALE})
    assert found(client, "contains=13125550142") == []


def test_left_out_numbers_leave_room_for_others(client: Client) -> None:
    assert len(found(client, "area_code=415&limit=5")) == 5


# list and show


def test_the_list_has_the_newest_first(client: Client) -> None:
    path = bought(client)
    numbers = client.get("/v1/phone-numbers").data
    assert [f"/v1/phone-numbers/{number['id']}" for number in numbers] == [
        path,
        "/v1/phone-numbers/1002",
        "/v1/phone-numbers/1001",
    ]


def test_the_list_comes_in_pages(client: Client) -> None:
    first = client.get("/v1/phone-numbers?limit=1")
    second = client.get(f"/v1/phone-numbers?limit=1&cursor={first.body['meta']['cursor']}")
    assert [first.data[0]["id"], second.data[0]["id"]] == [1002, 1001]
    assert second.body["meta"] == {"page_size": 1}


def test_the_list_tells_what_a_number_is_and_whether_it_can_text(client: Client) -> None:
    bought(client)
    assert listed(client, FOR_SALE)["texting_enabled"] is False
    assert listed(client, MAIN) == {
        "id": 1001,
        "phone_number": MAIN,
        "name": "Front desk",
        "organization_id": "6f1c2a9e-3b57-4c1d-9a84-0f5e7d2b6c31",
        "user_id": "0b9d7e54-8a26-4f3c-b1e7-5c2d9a6f8e40",
        "provider": "mock",
        "is_active": True,
        "iso_country": "US",
        "reputation_enrolled_at": "2026-01-01T00:00:00.000Z",
        "cnam_display_name": None,
        "cnam_status": "NONE",
        "texting_enabled": True,
        "texting_status": "approved",
        "created_at": "2026-01-01T00:00:00.000Z",
    }


def test_an_enrolled_number_shows_since_when(client: Client) -> None:
    assert client.get("/v1/phone-numbers/1002").data["reputation_enrolled_at"] is None
    client.post("/v1/caller-trust/reputation/numbers", {"phone_numbers": [RECALL]})
    assert client.get("/v1/phone-numbers/1002").data["reputation_enrolled_at"] == "2026-01-05T09:00:00.000Z"
    assert listed(client, RECALL)["reputation_enrolled_at"] == "2026-01-05T09:00:00.000Z"


@pytest.mark.parametrize("record", ["1", "abc", "01001", "1001%20"])
def test_an_unknown_record_is_not_found(client: Client, record: str) -> None:
    answer = client.get(f"/v1/phone-numbers/{record}")
    assert (answer.status, answer.code) == (404, "not_found")


# settings


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Night line"),
        ("recording_enabled", False),
        ("transcription_enabled", False),
        ("agent_id", NEWER_AGENT),
        ("cnam_display_name", "HARBOR DENTAL"),
    ],
)
def test_an_update_changes_what_is_given_and_nothing_else(client: Client, field: str, value: Any) -> None:
    before = patch(client).data
    status = {"cnam_status": "PENDING"} if field == "cnam_display_name" else {}
    assert patch(client, **{field: value}).data == {**before, field: value, **status}
    assert patch(client).data == {**before, field: value, **status}


def test_an_update_of_nothing_shows_the_settings(client: Client) -> None:
    assert patch(client).data == {
        "id": 1001,
        "cnam_display_name": None,
        "cnam_status": "NONE",
        "name": "Front desk",
        "recording_enabled": True,
        "transcription_enabled": True,
        "agent_id": AGENT,
    }


def test_an_agents_id_may_be_written_in_capitals(client: Client) -> None:
    assert patch(client, agent_id=NEWER_AGENT.upper()).data["agent_id"] == NEWER_AGENT


def test_an_update_with_an_unknown_agent_changes_nothing_at_all(client: Client) -> None:
    before = client.world.dump()
    answer = patch(client, name="Night line", agent_id=UNKNOWN_AGENT)
    assert (answer.status, answer.code) == (404, "not_found")
    assert client.world.dump() == before


# CNAM


def test_a_cnam_has_at_most_15_characters(client: Client) -> None:
    assert patch(client, cnam_display_name="X" * 15).status == 200
    answer = patch(client, cnam_display_name="X" * 16)
    assert answer.status == 400
    assert set(answer.fields) == {"cnam_display_name"}


@pytest.mark.parametrize("number", ["+18335550101", "+14165550101", "+442079460007"], ids=["toll-free", "CA", "GB"])
def test_a_cnam_is_for_us_local_numbers_only(client: Client, number: str) -> None:
    path = bought(client, number)
    answer = patch(client, path, cnam_display_name="HARBOR")
    assert answer.status == 400
    assert set(answer.fields) == {"cnam_display_name"}
    assert cnam(client, path)["cnam_status"] == "NONE"


def test_switching_cnam_off_is_right_on_every_number(client: Client) -> None:
    assert patch(client, bought(client, "+442079460007"), cnam_enabled=False).data["cnam_status"] == "NONE"


def test_a_cnam_needs_an_active_number(client: Client) -> None:
    record = client.post("/v1/phone-numbers", {"phone_number": FOR_SALE}).data["phone_record_id"]
    path = f"/v1/phone-numbers/{record}"
    assert patch(client, path, cnam_display_name="HARBOR").status == 409
    client.advance(5)
    assert patch(client, path, cnam_display_name="HARBOR").status == 200


def test_a_number_without_a_cnam_is_inactive(client: Client) -> None:
    assert cnam(client) == {
        "id": 1001,
        "phone_number": MAIN,
        "cnam_display_name": None,
        "cnam_status": "NONE",
        "live_status": "inactive",
        "live_enabled": False,
        "live_display_name": None,
    }


def test_a_cnam_spreads_before_it_is_live(client: Client) -> None:
    patch(client, cnam_display_name="HARBOR")
    client.advance(48 * HOUR - 0.001)
    assert cnam(client) == {
        "id": 1001,
        "phone_number": MAIN,
        "cnam_display_name": "HARBOR",
        "cnam_status": "PENDING",
        "live_status": "provisioning",
        "live_enabled": False,
        "live_display_name": None,
    }


def test_a_status_check_approves_a_cnam_that_has_spread(client: Client) -> None:
    patch(client, cnam_display_name="HARBOR")
    client.advance(48 * HOUR)
    assert listed(client, MAIN)["cnam_status"] == "PENDING"
    live = {"live_status": "active", "live_enabled": True, "live_display_name": "HARBOR"}
    assert cnam(client) == {
        "id": 1001,
        "phone_number": MAIN,
        "cnam_display_name": "HARBOR",
        "cnam_status": "APPROVED",
        **live,
    }
    assert listed(client, MAIN)["cnam_status"] == "APPROVED"


def test_a_second_check_of_an_approved_cnam_changes_nothing(client: Client) -> None:
    patch(client, cnam_display_name="HARBOR")
    client.advance(48 * HOUR)
    assert cnam(client) == cnam(client)


def test_the_propagation_time_is_a_policy() -> None:
    client = Client(emulator_with(cnam_propagation_hours=0))
    patch(client, cnam_display_name="HARBOR")
    assert cnam(client)["cnam_status"] == "APPROVED"


def test_the_same_name_again_does_not_start_over(client: Client) -> None:
    patch(client, cnam_display_name="HARBOR")
    client.advance(47 * HOUR)
    patch(client, cnam_display_name="HARBOR", cnam_enabled=True)
    client.advance(HOUR)
    assert cnam(client)["cnam_status"] == "APPROVED"


def test_another_name_starts_over(client: Client) -> None:
    patch(client, cnam_display_name="HARBOR")
    client.advance(48 * HOUR)
    cnam(client)
    assert patch(client, cnam_display_name="DENTAL").data["cnam_status"] == "PENDING"
    assert cnam(client)["live_status"] == "provisioning"


def test_a_cnam_that_is_switched_off_keeps_its_name_and_can_come_back(client: Client) -> None:
    patch(client, cnam_display_name="HARBOR")
    off = patch(client, cnam_enabled=False).data
    assert (off["cnam_display_name"], off["cnam_status"]) == ("HARBOR", "NONE")
    assert cnam(client)["live_status"] == "inactive"
    on = patch(client, cnam_enabled=True).data
    assert (on["cnam_display_name"], on["cnam_status"]) == ("HARBOR", "PENDING")


def test_an_empty_name_takes_the_cnam_away(client: Client) -> None:
    patch(client, cnam_display_name="HARBOR")
    data = patch(client, cnam_display_name="").data
    assert (data["cnam_display_name"], data["cnam_status"]) == (None, "NONE")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"cnam_enabled": True}, "cnam_enabled"),
        ({"cnam_enabled": True, "cnam_display_name": ""}, "cnam_display_name"),
    ],
    ids=["never-named", "empty-name"],
)
def test_a_cnam_cannot_be_switched_on_without_a_name(client: Client, body: dict[str, Any], field: str) -> None:
    answer = patch(client, **body)
    assert answer.status == 400
    assert set(answer.fields) == {field}


# texting overrides


def test_without_an_override_all_three_settings_are_null(client: Client) -> None:
    client("PATCH", "/v1/sms/config", {"auto_reply_enabled": True, "reply_delay_seconds": 9, "default_prompt": "Hi"})
    assert client.get("/v1/phone-numbers/1001/sms-config").data == {"phone_number_id": 1001, **NO_OVERRIDE}


def test_an_override_wins_over_the_workspace_whatever_that_says_later(client: Client) -> None:
    override = {"auto_reply_enabled": True, "reply_delay_seconds": 30, "default_prompt": "Be brief."}
    patch(client, "/v1/phone-numbers/1001/sms-config", **override)
    client("PATCH", "/v1/sms/config", {"auto_reply_enabled": False, "reply_delay_seconds": 9, "default_prompt": "Hi"})
    shown = client.get("/v1/phone-numbers/1001/sms-config").data
    assert shown == {"phone_number_id": 1001, "has_override": True, **override}
    assert client.get("/v1/sms/config").data["default_prompt"] == "Hi"


def test_an_override_is_partial(client: Client) -> None:
    path = "/v1/phone-numbers/1001/sms-config"
    first = patch(client, path, reply_delay_seconds=30).data
    assert first == {"phone_number_id": 1001, **NO_OVERRIDE, "has_override": True, "reply_delay_seconds": 30}
    second = patch(client, path, auto_reply_enabled=False, default_prompt=None).data
    assert second == {**first, "auto_reply_enabled": False}


def test_an_override_is_of_one_number(client: Client) -> None:
    patch(client, "/v1/phone-numbers/1001/sms-config", reply_delay_seconds=30)
    assert client.get("/v1/phone-numbers/1002/sms-config").data == {"phone_number_id": 1002, **NO_OVERRIDE}


@pytest.mark.parametrize(
    ("body", "field"),
    [({"reply_delay_seconds": 301}, "reply_delay_seconds"), ({"default_prompt": "x" * 2001}, "default_prompt")],
    ids=["long-delay", "long-prompt"],
)
def test_an_override_out_of_bounds_is_refused(client: Client, body: dict[str, Any], field: str) -> None:
    answer = patch(client, "/v1/phone-numbers/1001/sms-config", **body)
    assert answer.status == 400
    assert set(answer.fields) == {field}
    assert client.get("/v1/phone-numbers/1001/sms-config").data["has_override"] is False


# release


def test_a_released_number_is_gone(client: Client) -> None:
    assert client("DELETE", "/v1/phone-numbers/1001").data == {"id": 1001, "deleted": True}
    assert [number["id"] for number in client.get("/v1/phone-numbers").data] == [1002]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/phone-numbers/1001"),
        ("DELETE", "/v1/phone-numbers/1001"),
        ("PATCH", "/v1/phone-numbers/1001"),
        ("GET", "/v1/phone-numbers/1001/cnam-status"),
        ("GET", "/v1/phone-numbers/1001/sms-config"),
        ("PATCH", "/v1/phone-numbers/1001/sms-config"),
        ("GET", "/v1/usage/1001"),
    ],
)
def test_a_released_number_is_not_found_any_more(client: Client, method: str, path: str) -> None:
    client("DELETE", "/v1/phone-numbers/1001")
    assert client(method, path, {} if method == "PATCH" else None).status == 404


def test_a_release_erases_the_calls_of_the_number_and_no_others(client: Client) -> None:
    kept, erased = call_from(client, RECALL)["call_id"], call_from(client, MAIN)["call_id"]
    verified = call_from(client, VERIFIED)["call_id"]
    client("DELETE", "/v1/phone-numbers/1001")
    assert client.get(f"/v1/calls/{erased}").status == 404
    assert [call["id"] for call in client.get("/v1/calls").data] == [
        verified,
        kept,
        "call_fixture00000003",
        "call_fixture00000001",
    ]


def test_a_release_frees_the_channels_of_its_live_calls(client: Client) -> None:
    call_from(client, MAIN)
    call_from(client, RECALL)
    client("DELETE", "/v1/phone-numbers/1001")
    assert client.world.guardrails.channels_in_use() == 1
    client.advance(HOUR)
    assert client.world.guardrails.channels_in_use() == 0


def test_a_release_erases_the_tokens_of_its_calls(client: Client) -> None:
    token = call_from(client, MAIN)["token"]
    other = call_from(client, RECALL)["token"]
    client("DELETE", "/v1/phone-numbers/1001")
    with pytest.raises(ApiError) as refused:
        placement.join(client.world, token)
    assert refused.value.status == 401
    assert placement.join(client.world, other)["from_number"] == RECALL


def test_a_release_erases_the_override(client: Client) -> None:
    patch(client, "/v1/phone-numbers/1001/sms-config", reply_delay_seconds=30)
    client("DELETE", "/v1/phone-numbers/1001")
    assert "sms_overrides" not in client.world.dump()["records"]


def test_a_release_erases_what_is_known_of_its_reputation(client: Client) -> None:
    assert client("DELETE", "/v1/phone-numbers/1001").status == 200
    assert client.world.store.all("monitored_numbers") == []


def test_a_number_that_is_released_while_pending_stays_gone(client: Client) -> None:
    record = client.post("/v1/phone-numbers", {"phone_number": FOR_SALE}).data["phone_record_id"]
    assert client("DELETE", f"/v1/phone-numbers/{record}").status == 200
    client.advance(10)
    assert client.get(f"/v1/phone-numbers/{record}").status == 404


def test_a_released_number_can_be_bought_again_and_starts_anew(client: Client) -> None:
    patch(client, cnam_display_name="HARBOR")
    client("DELETE", "/v1/phone-numbers/1001")
    path = bought(client, MAIN)
    assert path != "/v1/phone-numbers/1001"
    data = patch(client, path).data
    assert (data["name"], data["cnam_status"]) == (None, "NONE")


def test_the_agent_of_a_released_number_stays(client: Client) -> None:
    client("DELETE", "/v1/phone-numbers/1001")
    assert client.get(f"/v1/agents/{AGENT}").status == 200
