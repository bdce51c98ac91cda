"""Sub-entities: the organizations under an umbrella, their names, flags and counts, and who may manage them."""

import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import Emulator, Settings
from tests.conftest import Answer, Client, emulator_with, reopened

SUB_ENTITIES = "/v1/sub-entities"
UMBRELLA = "6f1c2a9e-3b57-4c1d-9a84-0f5e7d2b6c31"
UPTOWN = "9d4b7c20-61fe-4a35-8e02-c5a7f3d81b96"  # the fixture's


def create(client: Client, name: str = "Harbor Dental Downtown", **body: Any) -> Answer:
    return client.post(SUB_ENTITIES, {"name": name, **body})


def update(client: Client, sub_entity_id: str = UPTOWN, **body: Any) -> Answer:
    return client("PATCH", f"{SUB_ENTITIES}/{sub_entity_id}", body)


def look(client: Client, sub_entity_id: str = UPTOWN) -> Any:
    return client.get(f"{SUB_ENTITIES}/{sub_entity_id}").data


def listed(client: Client, query: str = "") -> list[str]:
    return [shown["name"] for shown in client.get(f"{SUB_ENTITIES}{query}").data]


def with_hipaa(client: Client) -> Client:
    """Switch HIPAA on for the umbrella."""
    world = client.world
    assert world.organization is not None
    with world.store.transaction():
        world.store.update("organizations", world.organization, hipaa_enabled=True)
    return client


def reason(client: Client, answer: Answer) -> str:
    """Return the rule that refused."""
    entry = client.emulator.journal.find(answer.headers["x-request-id"])
    assert entry is not None
    return entry.reasons[0].rule


# creating


def test_a_new_sub_entity_is_under_the_umbrella_and_its_creator_owns_it(client: Client) -> None:
    answer = create(client)
    assert answer.data == {
        "id": answer.data["id"],
        "name": "Harbor Dental Downtown",
        "slug": "harbor-dental-downtown",
        "hipaa_enabled": False,
        "parent_organization_id": UMBRELLA,
        "member_count": 1,
        "phone_number_count": 0,
        "created_at": "2026-01-05T09:00:00.000Z",
    }
    assert look(client, answer.data["id"]) == answer.data


def test_a_key_without_a_user_makes_one_without_members(client: Client) -> None:
    assert create(client.with_key(has_user=False)).data["member_count"] == 0


def test_a_refused_creation_leaves_no_trace(client: Client) -> None:
    client.get("/v1/me")
    before = client.world.dump()
    assert create(client, "").status == 400
    assert create(client, slug="").status == 400
    assert client.post(SUB_ENTITIES, {}).status == 400
    assert create(client, slug="harbor-dental").status == 409
    assert client.world.dump() == before


# slugs


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Harbor & Sons, Ltd.", "harbor-sons-ltd"),
        ("  Pier 39  ", "pier-39"),
        ("Zahnärzte am Hafen", "zahn-rzte-am-hafen"),
        ("港の歯科", "sub-entity"),
        ("---", "sub-entity"),
    ],
)
def test_a_slug_is_made_of_the_name(client: Client, name: str, slug: str) -> None:
    assert create(client, name).data["slug"] == slug


def test_a_slug_that_is_given_is_kept_as_it_is(client: Client) -> None:
    assert create(client, slug="Downtown_2").data["slug"] == "Downtown_2"


@pytest.mark.parametrize("taken", ["harbor-dental", "harbor-dental-uptown"], ids=["umbrella", "sub-entity"])
def test_a_slug_that_is_taken_is_refused(client: Client, taken: str) -> None:
    answer = create(client, slug=taken)
    assert (answer.status, answer.code, reason(client, answer)) == (409, "conflict", "sub_entity.slug")


@given(names=st.lists(st.text(string.ascii_letters + " -&é", min_size=1, max_size=3), max_size=8))
def test_slugs_that_are_made_are_never_the_same(names: list[str]) -> None:
    client = Client(emulator_with())
    slugs = [create(client, name).data["slug"] for name in [*names, *names]]
    assert len({*slugs, "harbor-dental", "harbor-dental-uptown"}) == 2 * len(names) + 2


def test_a_new_name_leaves_the_slug(client: Client) -> None:
    before = look(client)
    assert update(client, name="Harbor Hill").data == {**before, "name": "Harbor Hill"}
    assert look(client) == {**before, "name": "Harbor Hill"}


def test_an_update_of_nothing_changes_nothing(client: Client) -> None:
    before = look(client)
    assert update(client).data == before


# reading


def test_the_list_is_newest_first_a_page_at_a_time(client: Client) -> None:
    for name in ("A", "B", "C"):
        create(client, name)
    assert listed(client) == ["C", "B", "A", "Harbor Dental Uptown"]
    first = client.get(f"{SUB_ENTITIES}?limit=3").body
    assert [shown["name"] for shown in first["data"]] == ["C", "B", "A"]
    create(client, "D")
    second = client.get(f"{SUB_ENTITIES}?limit=3&cursor={first['meta']['cursor']}").body
    assert [shown["name"] for shown in second["data"]] == ["Harbor Dental Uptown"]
    assert second["meta"] == {"page_size": 1}


def test_the_list_shows_what_each_shows(client: Client) -> None:
    created = create(client).data
    assert client.get(SUB_ENTITIES).data == [created, look(client)]


def test_an_id_may_be_written_in_capitals(client: Client) -> None:
    assert look(client, UPTOWN.upper())["id"] == UPTOWN


@pytest.mark.parametrize("sub_entity_id", ["nope", UMBRELLA])
def test_what_is_no_sub_entity_is_not_found(client: Client, sub_entity_id: str) -> None:
    assert client.get(f"{SUB_ENTITIES}/{sub_entity_id}").status == 404
    assert update(client, sub_entity_id, name="Mine").status == 404


def test_numbers_are_counted_from_purchase_to_release(client: Client) -> None:
    uptown = client.with_key("sub_entity", team=UPTOWN)
    bought = [uptown.post("/v1/phone-numbers", {}).data["phone_record_id"] for _ in range(2)]
    assert look(client)["phone_number_count"] == 2
    client.post("/v1/phone-numbers", {})
    assert look(client)["phone_number_count"] == 2
    uptown("DELETE", f"/v1/phone-numbers/{bought[0]}")
    client("DELETE", f"/v1/phone-numbers/{bought[1]}")
    assert look(client)["phone_number_count"] == 0


# HIPAA


def test_hipaa_is_switched_on_and_off(client: Client) -> None:
    assert update(client, hipaa_enabled=True).data["hipaa_enabled"] is True
    assert look(client)["hipaa_enabled"] is True
    assert update(client, hipaa_enabled=False).data["hipaa_enabled"] is False


def test_hipaa_is_off_at_creation_even_under_an_umbrella_with_it(client: Client) -> None:
    assert create(with_hipaa(client)).data["hipaa_enabled"] is False


def test_by_policy_a_new_sub_entity_inherits_hipaa() -> None:
    client = with_hipaa(Client(emulator_with(sub_entity_inherits_hipaa="yes")))
    assert create(client).data["hipaa_enabled"] is True


def test_hipaa_is_not_switched_off_under_an_umbrella_with_it(client: Client) -> None:
    with_hipaa(client)
    update(client, hipaa_enabled=True)
    before = look(client)
    answer = update(client, name="Harbor Hill", hipaa_enabled=False)
    assert (answer.status, answer.code, reason(client, answer)) == (409, "conflict", "sub_entity.hipaa")
    assert look(client) == before
    assert update(client, name="Harbor Hill").data["hipaa_enabled"] is True


# who manages them


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("POST", ""), ("GET", f"/{UPTOWN}"), ("PATCH", f"/{UPTOWN}"), ("GET", "/nope"), ("PATCH", "/nope")],
)
def test_a_sub_entitys_key_manages_none_not_even_its_own(client: Client, method: str, path: str) -> None:
    uptown = client.with_key("sub_entity", team=UPTOWN)
    before = client.world.store.dump()
    body = None if method == "GET" else {"name": "Mine"}
    answer = uptown(method, f"{SUB_ENTITIES}{path}", body)
    assert (answer.status, answer.code, reason(client, answer)) == (403, "forbidden", "sub_entity.umbrella")
    assert client.world.store.dump() == before


def test_a_users_key_manages_them(client: Client) -> None:
    user = client.with_key("user")
    created = create(user).data
    assert (created["parent_organization_id"], created["member_count"]) == (UMBRELLA, 1)
    assert listed(user) == ["Harbor Dental Downtown", "Harbor Dental Uptown"]
    assert update(user, name="Harbor Hill").status == 200


@pytest.mark.parametrize(("scope", "read", "written"), [("read", 200, 403), ("write", 403, 200)])
def test_reading_and_writing_have_a_scope_each(client: Client, scope: str, read: int, written: int) -> None:
    limited = client.with_key(scopes=[f"sub_entities:{scope}"])
    assert (limited.get(SUB_ENTITIES).status, create(limited).status) == (read, written)


def test_without_an_organization_there_is_no_umbrella(tmp_path: Path) -> None:
    fixture = tmp_path / "bare.json"
    fixture.write_text('{"format": 1, "records": {}}')
    client = Client(Emulator(Settings(data=fixture, seed="test", clock="frozen")))
    assert (client.get(SUB_ENTITIES).status, create(client).status) == (409, 409)


def test_sub_entities_survive_an_export(client: Client, tmp_path: Path) -> None:
    create(client, slug="downtown")
    before = client.get(SUB_ENTITIES).body
    assert reopened(client, tmp_path).get(SUB_ENTITIES).body == before
