"""Reputation: the settings of an own brand from PENDING to the carrier's verdict, and the numbers that are watched."""

from typing import Any

import pytest

from revdesk_mock import ApiError, Emulator, Settings, vetting
from revdesk_mock.resources import reputation
from tests.conftest import KEY, MAIN, ORGANIZATION, RECALL, UPTOWN, Answer, Client, emulator_with, registered

SETTINGS, NUMBERS = "/v1/caller-trust/reputation", "/v1/caller-trust/reputation/numbers"
FOR_SALE, CANADIAN, STRANGER = "+13125550142", "+14165550142", "+13125550199"
DAY = 86_400
NOTHING = dict.fromkeys(
    (
        "spam_risk",
        "spam_category",
        "maturity_score",
        "connection_score",
        "engagement_score",
        "sentiment_score",
        "last_refreshed_at",
    )
)


def letter(client: Client) -> str:
    """Upload an LOA and return its id; it is being scanned."""
    upload = {"file_base64": "JVBERi0xLjcK", "filename": "loa.pdf"}
    return str(client.post("/v1/caller-trust/documents", upload).data["document_id"])


def approved(client: Client, organization: str = ORGANIZATION, **body: Any) -> str:
    """Register an organization, enable reputation and let the carrier approve; return the registration's id."""
    registration = registered(client, organization)["id"]
    assert client.post(SETTINGS, body).status == 200
    client.advance(60)
    assert client.get(SETTINGS).data["status"] == "APPROVED"
    return str(registration)


def bought(client: Client, number: str = FOR_SALE) -> int:
    """Buy a number, wait until it is active and return its record's id."""
    record: int = client.post("/v1/phone-numbers", {"phone_number": number}).data["phone_record_id"]
    client.advance(5)
    return record


def watched(client: Client) -> list[str]:
    return [number["phone_number"] for number in client.get(NUMBERS).data]


def enrol(client: Client, *numbers: str) -> Answer:
    return client.post(NUMBERS, {"phone_numbers": list(numbers)})


def look(client: Client, number: str = MAIN, query: str = "") -> Any:
    answer = client.get(f"{NUMBERS}/{number}{query}")
    assert answer.status == 200, answer.raw
    return answer.data


def refused(client: Client, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """Ask for something that is refused and leaves no trace; return status and code."""
    before = client.world.dump()
    answer = client(method, path, body)
    assert answer.status >= 400, answer.raw
    assert client.world.dump() == before
    return answer.status, answer.code


# enabling


def test_under_the_shared_umbrella_there_are_no_settings(client: Client) -> None:
    assert client.get(SETTINGS).data is None
    registered(client)
    assert client.get(SETTINGS).data is None


def test_what_is_enabled_is_pending_until_the_carrier_approves(client: Client) -> None:
    registration = registered(client)["id"]
    pending = {
        "enterprise_id": registration,
        "status": "PENDING",
        "check_frequency": "weekly",
        "rejection_reasons": [],
        "last_synced_at": None,
    }
    assert client.post(SETTINGS, {"check_frequency": "weekly"}).data == pending
    client.advance(59.999)
    assert client.get(SETTINGS).data == pending
    client.advance(0.001)
    synced = {"status": "APPROVED", "last_synced_at": "2026-01-05T09:01:00.000Z"}
    assert client.get(SETTINGS).data == {**pending, **synced}


@pytest.mark.parametrize("frequency", ["daily", "weekly"])
def test_without_a_frequency_it_is_that_of_the_umbrella(frequency: str) -> None:
    client = Client(emulator_with(score_refresh=frequency))
    registered(client)
    assert client.post(SETTINGS, {}).data["check_frequency"] == frequency


def test_a_rejection_tells_its_reasons(client: Client) -> None:
    registered(client, legal_name="Rejected Dental LLC")
    client.post(SETTINGS, {})
    client.advance(60)
    shown = client.get(SETTINGS).data
    assert (shown["status"], shown["rejection_reasons"]) == ("REJECTED", [vetting.REASON])


def test_after_a_rejection_one_can_ask_again(client: Client) -> None:
    registered(client, legal_name="Rejected Dental LLC")
    client.post(SETTINGS, {"check_frequency": "weekly"})
    client.advance(60)
    fresh = client.post(SETTINGS, {"check_frequency": "monthly"}).data
    assert (fresh["status"], fresh["check_frequency"]) == ("PENDING", "monthly")
    assert (fresh["rejection_reasons"], fresh["last_synced_at"]) == ([], None)
    client.advance(60)
    assert client.get(SETTINGS).data["status"] == "REJECTED"


def test_an_undecided_name_waits_for_the_verdict_that_is_given(client: Client) -> None:
    settings = {"id": registered(client, legal_name="Undecided Dental LLC")["id"]}
    client.post(SETTINGS, {})
    client.advance(365 * DAY)
    assert client.get(SETTINGS).data["status"] == "PENDING"
    store = client.world.store
    with store.transaction():
        reputation.decide(
            client.world, store.all("reputations")[0], vetting.Verdict("REJECTED", ["The letter is unsigned."])
        )
    shown = client.get(SETTINGS).data
    assert (shown["enterprise_id"], shown["rejection_reasons"]) == (settings["id"], ["The letter is unsigned."])
    with pytest.raises(ApiError) as caught:
        reputation.decide(client.world, store.all("reputations")[0], vetting.Verdict("APPROVED", []))
    assert caught.value.status == 409


def test_a_verdict_that_is_given_early_is_the_only_one(client: Client) -> None:
    registered(client)
    client.post(SETTINGS, {})
    with client.world.store.transaction():
        settings = client.world.store.all("reputations")[0]
        reputation.decide(client.world, settings, vetting.Verdict("REJECTED", ["No."]))
    client.advance(3600)
    assert client.get(SETTINGS).data["rejection_reasons"] == ["No."]


@pytest.mark.parametrize("seconds", [0, 60], ids=["pending", "approved"])
def test_enabling_again_changes_nothing(client: Client, seconds: float) -> None:
    registered(client)
    client.post(SETTINGS, {"check_frequency": "weekly"})
    client.advance(seconds)
    before, shown = client.world.dump(), client.get(SETTINGS).data
    assert client.post(SETTINGS, {"check_frequency": "monthly", "loa_document_id": "unknown"}).data == shown
    assert client.world.dump() == before


def test_enabling_needs_a_registration(client: Client) -> None:
    assert refused(client, "POST", SETTINGS, {}) == (404, "not_found")


def test_enabling_needs_a_carrier_record(client: Client) -> None:
    registered(client, status="DRAFT", carrier_enterprise_id=None)
    assert refused(client, "POST", SETTINGS, {}) == (409, "conflict")


def test_enabling_needs_a_letter(client: Client) -> None:
    registered(client, loa_document_id=None)
    assert refused(client, "POST", SETTINGS, {}) == (409, "conflict")


def test_a_letter_can_be_sent_along_and_stays(client: Client) -> None:
    registered(client, loa_document_id=None)
    document = letter(client)
    client.advance(2)
    assert client.post(SETTINGS, {"loa_document_id": document}).data["status"] == "PENDING"
    client.advance(DAY)
    assert client.get(f"/v1/caller-trust/documents/{document}").status == 200


@pytest.mark.parametrize(
    ("seconds", "refusal"), [(1.999, (409, "conflict")), (1800, (404, "not_found"))], ids=["being scanned", "lapsed"]
)
def test_a_letter_that_cannot_be_used_enables_nothing(client: Client, seconds: float, refusal: tuple[int, str]) -> None:
    registered(client)
    document = letter(client)
    client.advance(seconds)
    assert refused(client, "POST", SETTINGS, {"loa_document_id": document}) == refusal


@pytest.mark.parametrize("body", [None, {"check_frequency": "hourly"}, {"loa_document_id": 7}])
def test_an_order_that_the_contract_does_not_know_is_refused(client: Client, body: Any) -> None:
    registered(client)
    assert refused(client, "POST", SETTINGS, body) == (400, "validation_error")


# changing and leaving


def test_the_frequency_of_approved_settings_can_be_changed(client: Client) -> None:
    registration = approved(client)
    client.advance(60)
    changed = client("PATCH", SETTINGS, {"check_frequency": "never"})
    assert changed.data == {"enterprise_id": registration, "status": "APPROVED", "check_frequency": "never"}
    assert client.get(SETTINGS).data["last_synced_at"] == "2026-01-05T09:02:00.000Z"


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"check_frequency": "daily"}), ("DELETE", None)])
def test_only_approved_settings_can_be_changed_or_left(client: Client, method: str, body: Any) -> None:
    assert refused(client, method, SETTINGS, body) == (404, "not_found")
    registered(client, legal_name="Rejected Dental LLC")
    assert refused(client, method, SETTINGS, body) == (409, "conflict")
    client.post(SETTINGS, {})
    assert refused(client, method, SETTINGS, body) == (409, "conflict")
    client.advance(60)
    assert refused(client, method, SETTINGS, body) == (409, "conflict")


def test_who_leaves_takes_every_number_along(client: Client) -> None:
    uptown = client.with_key("sub_entity", team=UPTOWN)
    registration = approved(client)
    enrol(client, RECALL)
    bought(uptown)
    assert client("DELETE", SETTINGS).data == {"enterprise_id": registration, "disabled": True}
    assert client.get(SETTINGS).data is None
    assert watched(client) == [FOR_SALE]  # a sub-entity's, under the shared umbrella again
    assert look(client, FOR_SALE)["enterprise_id"] is None
    assert client.get("/v1/phone-numbers/1001").data["reputation_enrolled_at"] is None


def test_who_has_left_can_come_back(client: Client) -> None:
    registration = approved(client)
    client("DELETE", SETTINGS)
    assert client.post(SETTINGS, {}).data["status"] == "PENDING"
    client.advance(60)
    enrol(client, MAIN)
    assert look(client)["enterprise_id"] == registration


# whose settings


def test_a_sub_entity_without_a_registration_reads_the_parents_settings(client: Client) -> None:
    uptown = client.with_key("sub_entity", team=UPTOWN)
    assert uptown.get(SETTINGS).data is None
    approved(client)
    assert uptown.get(SETTINGS).data == client.get(SETTINGS).data
    for method, body in (("POST", {}), ("PATCH", {"check_frequency": "daily"}), ("DELETE", None)):
        before = client.world.dump()
        assert uptown(method, SETTINGS, body).status == 404
        assert client.world.dump() == before


def test_a_sub_entity_with_a_registration_has_settings_of_its_own(client: Client) -> None:
    uptown = client.with_key("sub_entity", team=UPTOWN)
    approved(client)
    registration = registered(client, UPTOWN)["id"]
    assert uptown.get(SETTINGS).data is None
    assert uptown.post(SETTINGS, {}).data["enterprise_id"] == registration
    assert client.get(SETTINGS).data["enterprise_id"] != registration


def test_a_users_key_speaks_for_the_users_organization(client: Client) -> None:
    registration = approved(client)
    assert client.with_key("user").get(SETTINGS).data["enterprise_id"] == registration


def test_reading_is_enough_to_read_and_not_to_write(emulator: Emulator) -> None:
    reader = Client(emulator, "revdesk_readonly_1")
    assert [reader.get(path).status for path in (SETTINGS, NUMBERS, f"{NUMBERS}/{MAIN}")] == [200, 200, 200]
    assert [reader.post(SETTINGS, {}).status, enrol(reader, RECALL).status] == [403, 403]


# enrolling


def test_enrolled_numbers_are_listed_the_last_one_first(client: Client) -> None:
    bought(client, STRANGER)
    assert enrol(client, RECALL).data == {"enrolled": 1, "phone_numbers": [RECALL]}
    assert watched(client) == [RECALL, STRANGER, MAIN]
    first = client.get(f"{NUMBERS}?limit=2")
    second = client.get(f"{NUMBERS}?limit=2&cursor={first.body['meta']['cursor']}")
    assert [number["phone_number"] for number in [*first.data, *second.data]] == [RECALL, STRANGER, MAIN]
    assert (first.body["meta"]["page_size"], second.body["meta"]) == (2, {"page_size": 1})


def test_enrolling_again_changes_nothing_and_answers_alike(client: Client) -> None:
    answer = enrol(client, RECALL, MAIN, RECALL)
    assert answer.data == {"enrolled": 2, "phone_numbers": [RECALL, MAIN]}
    before = client.world.dump()
    client.advance(60)
    assert enrol(client, RECALL, MAIN, RECALL).data == answer.data
    assert client.world.dump()["records"] == before["records"]


def test_all_numbers_are_enrolled_or_none(client: Client) -> None:
    client.post("/v1/phone-numbers", {"phone_number": FOR_SALE})  # not active yet
    body = {"phone_numbers": [RECALL, STRANGER, MAIN, FOR_SALE]}
    assert refused(client, "POST", NUMBERS, body) == (404, "not_found")
    why = "is not an active number of this account"
    assert enrol(client, *body["phone_numbers"]).fields == {"phone_numbers.1": why, "phone_numbers.3": why}


def test_a_verified_caller_id_is_no_number_to_watch(client: Client) -> None:
    assert enrol(client, "+16175550142").status == 404


def test_only_us_numbers_are_watched(client: Client) -> None:
    bought(client, CANADIAN)
    assert watched(client) == [MAIN]
    answer = enrol(client, MAIN, CANADIAN)
    assert (answer.status, answer.fields) == (400, {"phone_numbers.1": "is not a US number"})
    assert list(enrol(client, "+442079460001").fields) == ["phone_numbers.0"]
    assert enrol(client).status == 400


def test_a_number_that_is_bought_is_watched_once_it_is_active(client: Client) -> None:
    client.post("/v1/phone-numbers", {"phone_number": FOR_SALE})
    client.advance(4.999)
    assert watched(client) == [MAIN]
    client.advance(0.001)
    assert watched(client) == [FOR_SALE, MAIN]


def test_a_disenrolled_number_is_known_no_longer(client: Client) -> None:
    assert client("DELETE", f"{NUMBERS}/{MAIN}").data == {"phone_number": MAIN, "disenrolled": True}
    assert watched(client) == []
    assert client.get("/v1/phone-numbers/1001").data["reputation_enrolled_at"] is None
    for method in ("GET", "DELETE"):
        assert refused(client, method, f"{NUMBERS}/{MAIN}") == (404, "not_found")
    enrol(client, MAIN)
    assert look(client) == {"phone_number": MAIN, "enterprise_id": None, **NOTHING}


def test_the_number_in_the_path_may_be_percent_encoded(client: Client) -> None:
    assert look(client, f"%2B{MAIN[1:]}") == look(client)
    assert client("DELETE", f"{NUMBERS}/%2B{MAIN[1:]}").status == 200


def test_a_sub_entity_sees_and_enrols_its_own_numbers_only(client: Client) -> None:
    uptown = client.with_key("sub_entity", team=UPTOWN)
    bought(uptown)
    assert watched(uptown) == [FOR_SALE]
    assert watched(client) == [FOR_SALE, MAIN]
    assert uptown.get(f"{NUMBERS}/{MAIN}").status == 404
    assert enrol(uptown, RECALL).status == 404
    assert enrol(client, FOR_SALE).status == 200


def test_a_sub_entity_counts_its_own_numbers_only(client: Client) -> None:
    uptown = client.with_key("sub_entity", team=UPTOWN)
    bought(uptown)
    footprints = [each.get("/v1/account").data["footprint"]["enrolled_reputation_numbers"] for each in (uptown, client)]
    assert footprints == [1, 2]
    risks = [each.get("/v1/usage").data["spam_risk_distribution"] for each in (uptown, client)]
    assert risks == [{"low": low, "medium": 0, "high": 0, "unknown": 1} for low in (0, 1)]


def test_a_users_own_number_is_seen_with_the_users_key_alone(client: Client) -> None:
    user = client.with_key("user")
    bought(user)
    assert watched(user) == [FOR_SALE, MAIN]
    assert watched(client) == [MAIN]


# scores


def test_a_new_number_has_no_data_for_a_day(client: Client) -> None:
    enrol(client, RECALL)
    client.advance(DAY - 0.001)
    assert look(client, RECALL) == {"phone_number": RECALL, "enterprise_id": None, **NOTHING}
    client.advance(0.001)
    shown = look(client, RECALL)
    assert (shown["spam_risk"], shown["spam_category"]) == ("low", None)
    assert shown["last_refreshed_at"] == "2026-01-06T09:00:00.000Z"
    assert all(60 <= value <= 95 for name, value in shown.items() if name.endswith("_score"))


@pytest.mark.parametrize(
    ("digits", "after_a_day", "after_eight"),
    [
        (60, ("low", None), ("low", None)),
        (61, ("medium", "telemarketing"), ("medium", "telemarketing")),
        (62, ("high", "scam"), ("high", "scam")),
        (63, ("low", None), ("high", "scam")),
        (64, (None, None), (None, None)),
    ],
)
def test_magic_numbers_have_the_risk_that_a_test_needs(
    client: Client, digits: int, after_a_day: tuple[str, str], after_eight: tuple[str, str]
) -> None:
    number = f"+131255501{digits}"
    bought(client, number)
    for days, expected in ((1, after_a_day), (7, after_eight)):
        client.advance(days * DAY)
        shown = look(client, number)
        assert (shown["spam_risk"], shown["spam_category"]) == expected
        assert (shown["maturity_score"] is None) == (expected[0] is None)


def test_scores_stay_between_two_refreshes_and_move_in_the_long_run(client: Client) -> None:
    shown = look(client)
    assert shown["last_refreshed_at"] == "2026-01-05T00:00:00.000Z"
    client.advance(15 * 3600 - 0.001)
    assert look(client) == shown
    client.advance(0.001)
    assert look(client)["last_refreshed_at"] == "2026-01-06T00:00:00.000Z"
    client.advance(30 * DAY)
    assert look(client)["engagement_score"] != shown["engagement_score"]


def test_scores_are_the_same_whatever_the_seed(client: Client) -> None:
    assert look(Client(Emulator(Settings(seed="another", clock="frozen")))) == look(client)


# live queries


def test_a_live_query_answers_as_of_now_and_is_kept(client: Client) -> None:
    before = look(client)
    assert look(client, query="?fresh=false") == before
    fresh = look(client, query="?fresh=true")
    assert fresh["last_refreshed_at"] == "2026-01-05T09:00:00.000Z"
    client.advance(3600)
    assert look(client) == fresh
    assert client.get(NUMBERS).data[0]["last_refreshed_at"] == "2026-01-05T09:00:00.000Z"
    client.advance(14 * 3600)
    assert look(client)["last_refreshed_at"] == "2026-01-06T00:00:00.000Z"


def test_a_live_query_does_not_wait_for_the_first_day(client: Client) -> None:
    enrol(client, RECALL)
    assert look(client, RECALL, "?fresh=true")["spam_risk"] == "low"


def test_there_is_one_live_query_for_each_number_and_day(client: Client) -> None:
    enrol(client, RECALL)
    look(client, query="?fresh=true")
    look(client, RECALL, "?fresh=true")
    client.advance(0.5)
    assert refused(client, "GET", f"{NUMBERS}/{MAIN}?fresh=true") == (429, "rate_limited")
    answer = client.get(f"{NUMBERS}/{MAIN}?fresh=true")
    assert answer.headers["retry-after"] == str(15 * 3600)
    client.advance(15 * 3600 - 0.501)
    assert client.get(f"{NUMBERS}/{MAIN}?fresh=true").headers["retry-after"] == "1"
    client.advance(0.001)
    assert look(client, query="?fresh=true")["last_refreshed_at"] == "2026-01-06T00:00:00.000Z"


@pytest.mark.parametrize("fresh", ["yes", "1", ""])
def test_fresh_is_true_or_false(client: Client, fresh: str) -> None:
    assert refused(client, "GET", f"{NUMBERS}/{MAIN}?fresh={fresh}") == (400, "validation_error")


# under an own brand


def test_the_list_names_an_enterprise_even_under_the_umbrella(client: Client) -> None:
    assert [number["enterprise_id"] for number in client.get(NUMBERS).data] == [reputation.UMBRELLA]
    registration = approved(client)
    assert [number["enterprise_id"] for number in client.get(NUMBERS).data] == [registration]


def test_an_upgrade_to_an_own_brand_loses_no_scores(client: Client) -> None:
    umbrella = look(client)
    registered(client)
    client.post(SETTINGS, {"check_frequency": "monthly"})
    assert look(client) == umbrella
    client.advance(60)
    brand = look(client)
    assert brand.pop("enterprise_id") is not None
    assert brand.items() < umbrella.items()


def test_another_key_has_numbers_and_settings_of_its_own(emulator: Emulator, client: Client) -> None:
    approved(client)
    other = Client(emulator, f"{KEY}f")
    assert other.get(SETTINGS).data is None
    assert look(other)["enterprise_id"] is None
