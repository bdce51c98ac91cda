"""Links lead from the ids in an answer to the operations that take them."""

from copy import deepcopy
from typing import Any

from revdesk_mock.spec import Spec
from revdesk_mock.testing.links import Id, Links
from tests.conftest import SPEC


def without_links() -> Any:
    document = deepcopy(SPEC.document)
    for item in document["paths"].values():
        for node in item.values():
            for response in node["responses"].values():
                response.pop("links", None)
    return document


def test_every_item_of_a_list_is_an_id_for_what_the_contract_links() -> None:
    found = Links(SPEC).ids_in("v1_calls_get", {"data": [{"id": "call_1"}, {"id": "call_2"}], "meta": {}})
    takers = (("v1_calls_id_get", "id"), ("v1_calls_id_hangup_post", "id"))
    assert found == [Id("call_1", takers), Id("call_2", takers)]
    assert found[0].parameter_of("v1_calls_id_get") == "id"
    assert found[0].parameter_of("v1_agents_id_get") is None


def test_numbers_are_ids_and_what_is_null_empty_or_missing_is_none() -> None:
    links = Links(SPEC)
    rows = [{"id": 1001}, {"id": None}, {"id": ""}, {"id": True}, {}]
    assert [made.value for made in links.ids_in("v1_phone_numbers_get", {"data": rows})] == ["1001"]
    assert links.ids_in("v1_phone_numbers_get", {"data": None}) == []
    assert links.ids_in("v1_me_get", {"data": {"id": "x"}}) == []


def test_a_contract_without_links_has_those_of_the_product_for_the_same_operations() -> None:
    links = Links(Spec(without_links()), SPEC)
    assert links.sources("v1_caller_ids_id_patch") == ["v1_caller_ids_get"]
    assert links.sources("v1_usage_phoneId_get") == Links(SPEC).sources("v1_usage_phoneId_get")


def test_a_list_is_taken_to_hold_the_ids_of_what_is_below_its_path() -> None:
    links = Links(Spec(without_links()))
    assert links.sources("v1_calls_id_hangup_post") == ["v1_calls_get"]
    assert links.sources("v1_caller_trust_documents_id_get") == []  # no list is above it
    (found,) = links.ids_in("v1_agents_get", {"data": [{"id": "a1"}]})
    assert found.parameter_of("v1_agents_id_web_call_post") == "id"


def test_every_operation_with_an_id_in_its_path_has_a_source() -> None:
    links = Links(SPEC)
    assert all(links.sources(name) for name, operation in SPEC.operations.items() if "{" in operation.path)
