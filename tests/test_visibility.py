"""What each key sees: random resources of four owners, and every read and every by-id operation by every key."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from revdesk_mock import Emulator, Policies, Settings
from revdesk_mock.resources import HANDLERS
from tests.conftest import ORDINARY, SPEC, Answer, Client

UMBRELLA, USER, UPTOWN, DOWNTOWN = OWNERS = ("umbrella", "user", "uptown", "downtown")
UPTOWN_ID = "9d4b7c20-61fe-4a35-8e02-c5a7f3d81b96"  # the fixture's sub-entity
UPLOADS = "/v1/caller-trust/documents"
PDF = {"file_base64": "JVBERi0xLjcK", "filename": "letter.pdf"}

# Whose id stands in a by-id path.
KINDS = {
    "/v1/phone-numbers/": "phone_numbers",
    "/v1/usage/": "phone_numbers",
    "/v1/calls/": "calls",
    "/v1/agents/": "agents",
    "/v1/caller-ids/": "caller_ids",
    "/v1/caller-trust/documents/": "documents",
    "/v1/sub-entities/": "sub_entities",
}
# What a by-id write needs in its body.
BODIES: dict[str, Any] = {
    "v1_phone_numbers_id_patch": {"name": "Mine"},
    "v1_phone_numbers_id_sms_config_patch": {"auto_reply_enabled": True},
    "v1_agents_id_patch": {"name": "Mine"},
    "v1_caller_ids_id_patch": {"cnam_display_name": "Mine"},
    "v1_caller_ids_id_verify_post": {"verification_code": "000000"},
    "v1_sub_entities_id_patch": {"name": "Mine"},
}
# Where a sub-entity without a registration reads its parent's: looked at in the tests of these resources.
CALLER_TRUST = ("/v1/caller-trust/enterprise", "/v1/caller-trust/reputation", "/v1/caller-trust/brand")
EMULATED = [SPEC.operations[name] for name in HANDLERS if not SPEC.operations[name].path.startswith(CALLER_TRUST)]
BY_ID = [operation for operation in EMULATED if "{" in operation.path]
# The other reads: the lists and sums below, and what tells of nobody's resources.
LISTS = {"phone_numbers": "phone-numbers", "agents": "agents", "calls": "calls", "caller_ids": "caller-ids"}
LOOKED_AT = {*(f"/v1/{name}" for name in LISTS.values()), "/v1/sub-entities", "/v1/account", "/v1/usage"}
OF_NOBODY = {"/v1/me", "/v1/phone-numbers/search", "/v1/sms/config"}


def sees(viewer: str, owner: str) -> bool:
    """Tell the documented rule: a sub-entity its own, the umbrella all but what is a user's alone, a user all."""
    return viewer in {USER, owner} or (viewer == UMBRELLA and owner != USER)


def test_no_operation_is_left_out() -> None:
    assert {operation.path.partition("{")[0] for operation in BY_ID} == set(KINDS)
    reads = {operation.path for operation in EMULATED if operation.method == "GET" and "{" not in operation.path}
    assert reads == LOOKED_AT | OF_NOBODY


@dataclass
class Tenant:
    """One world, a client for each owner's key, and what belongs to whom. The newest is last everywhere."""

    clients: dict[str, Client]
    owners: dict[str, dict[str, str]] = field(default_factory=dict)  # collection -> id -> owner
    callers: dict[str, tuple[str, str]] = field(default_factory=dict)  # number to call from -> its collection and id

    def note(self, collection: str, record: Any, owner: str) -> str:
        self.owners.setdefault(collection, {})[str(record)] = owner
        return str(record)

    def seen(self, viewer: str, collection: str) -> list[str]:
        """Return the ids that a viewer is to see, newest first."""
        return [record for record, owner in reversed(self.owners.get(collection, {}).items()) if sees(viewer, owner)]

    def unseen(self, viewer: str, collection: str) -> list[str]:
        return [record for record, owner in self.owners.get(collection, {}).items() if not sees(viewer, owner)]

    def callers_of(self, viewer: str, *, seen: bool = True) -> list[str]:
        """Return the numbers that a viewer is to see and may call from, or the others."""
        return [
            number
            for number, (collection, record) in self.callers.items()
            if sees(viewer, self.owners[collection][record]) is seen
        ]

    def store(self) -> dict[str, list[Any]]:
        return self.clients[UMBRELLA].world.store.dump()


def opened() -> Tenant:
    """Open a world with the fixture's resources, all of them the umbrella's, and a key of each owner."""
    policies = Policies(daily_spend_cap_cents=None, concurrency_cap=None, calls_per_minute=None)
    first = Client(Emulator(Settings(seed="test", clock="frozen", rate_limit="off", policies=policies), SPEC))
    downtown = first.post("/v1/sub-entities", {"name": "Downtown"}).data["id"]
    tenant = Tenant(
        {
            UMBRELLA: first,
            USER: first.with_key("user"),
            UPTOWN: first.with_key("sub_entity", team=UPTOWN_ID),
            DOWNTOWN: first.with_key("sub_entity", team=downtown),
        }
    )
    for collection in set(KINDS.values()):
        for record in tenant.store().get(collection, ()):
            tenant.note(collection, record["id"], UMBRELLA)
            if collection in {"phone_numbers", "caller_ids"}:
                tenant.callers[record["phone_number"]] = collection, record["id"]
    return tenant


# What an owner does. `which` picks one of what the owner is to see.


def buy(tenant: Tenant, owner: str, _: int) -> None:
    client = tenant.clients[owner]
    bought = tenant.note("phone_numbers", client.post("/v1/phone-numbers", {}).data["phone_record_id"], owner)
    client.advance(5)
    record = tenant.store()["phone_numbers"][-1]
    assert record["id"] == bought
    tenant.note("agents", record["agent_id"], owner)
    tenant.callers[record["phone_number"]] = "phone_numbers", bought


def verify(tenant: Tenant, owner: str, _: int) -> None:
    number = f"+1312555{2000 + len(tenant.callers)}"
    started = tenant.clients[owner].post("/v1/caller-ids", {"phone_number": number}).data["caller_id_id"]
    code = {"verification_code": tenant.store()["caller_ids"][-1]["code"]}
    assert tenant.clients[owner].post(f"/v1/caller-ids/{started}/verify", code).data["verified"] is True
    tenant.callers[number] = "caller_ids", tenant.note("caller_ids", started, owner)


def upload(tenant: Tenant, owner: str, _: int) -> None:
    tenant.note("documents", tenant.clients[owner].post(UPLOADS, PDF).data["document_id"], owner)


def dial(tenant: Tenant, owner: str, which: int) -> None:
    if callers := tenant.callers_of(owner):
        pair = {"from_number": callers[which % len(callers)], "to_number": ORDINARY}
        tenant.note("calls", tenant.clients[owner].post("/v1/calls/dial", pair).data["call_id"], owner)


def let_an_agent_call(tenant: Tenant, owner: str, _: int) -> None:
    """Name neither agent nor number: both are to be the newest that the owner sees."""
    agents, numbers = (tenant.seen(owner, collection) for collection in ("agents", "phone_numbers"))
    answer = tenant.clients[owner].post("/v1/calls", {"phoneNumber": ORDINARY})
    assert answer.status == (200 if agents and numbers else 409)
    if answer.status == 200:
        call = tenant.note("calls", answer.data["call_id"], owner)
        record = tenant.store()["calls"][-1]
        assert (record["id"], record["agent_id"], record["phone_number_id"] in numbers) == (call, agents[0], True)


def join_an_agent(tenant: Tenant, owner: str, which: int) -> None:
    if agents := tenant.seen(owner, "agents"):
        assert tenant.clients[owner].post(f"/v1/agents/{agents[which % len(agents)]}/web-call").status == 200
        tenant.note("calls", tenant.store()["calls"][-1]["id"], owner)


def wire(tenant: Tenant, owner: str, which: int) -> None:
    """Let another agent answer a number; whoever sees the number need not see the agent."""
    numbers, agents = (tenant.seen(owner, collection) for collection in ("phone_numbers", "agents"))
    if numbers:
        number, agent = numbers[which % len(numbers)], agents[which // len(numbers) % len(agents)]
        path = f"/v1/phone-numbers/{number}"
        assert tenant.clients[owner]("PATCH", path, {"agent_id": agent}).data["agent_id"] == agent
        for viewer, client in tenant.clients.items():
            if number in tenant.seen(viewer, "phone_numbers"):
                shown = client("PATCH", path, {}).data["agent_id"]
                assert shown == (agent if agent in tenant.seen(viewer, "agents") else None)


DEEDS: list[Callable[[Tenant, str, int], None]] = [buy, verify, upload, dial, let_an_agent_call, join_an_agent, wire]
deeds = st.lists(st.tuples(st.sampled_from(OWNERS), st.sampled_from(DEEDS), st.integers(0, 99)), max_size=14)


# What everybody looks at.


async def look(tenant: Tenant, viewer: str) -> None:
    """Compare every list and sum with what the viewer is to see."""
    send = tenant.clients[viewer].send
    for collection, name in LISTS.items():
        answer = await send("GET", f"/v1/{name}" if name == "caller-ids" else f"/v1/{name}?limit=100")
        ids = [str(shown.get("caller_id_id") or shown["id"]) for shown in answer.data]
        assert ids == tenant.seen(viewer, collection), f"{viewer} {name}"
        assert answer.body["meta"].get("total_results", len(ids)) == len(ids)
    numbers = tenant.seen(viewer, "phone_numbers")
    for agent in (await send("GET", "/v1/agents?limit=100")).data:
        assert agent["phone_number"] is None or str(agent["phone_number"]["id"]) in numbers
    await add_up(tenant, viewer, numbers)
    answer = await send("GET", "/v1/sub-entities")
    if viewer in {UMBRELLA, USER}:
        assert [shown["id"] for shown in answer.data] == tenant.seen(viewer, "sub_entities")
    else:
        assert answer.status == 403


async def add_up(tenant: Tenant, viewer: str, numbers: list[str]) -> None:
    """Compare what is counted with the calls and numbers that the viewer is to see."""
    send, calls = tenant.clients[viewer].send, tenant.seen(viewer, "calls")
    callers = [call["phone_number_id"] for call in tenant.store()["calls"] if call["id"] in calls]
    for number in numbers:
        assert (await send("GET", f"/v1/usage/{number}")).data["calls_placed"] == callers.count(number)
    usage = (await send("GET", "/v1/usage")).data
    placed = sum(map(callers.count, numbers))
    assert (usage["phone_numbers_active"], usage["calls_placed"]) == (len(numbers), placed)
    assert (await send("GET", "/v1/account")).data["footprint"]["phone_numbers"] == len(numbers)


async def try_ids(tenant: Tenant, viewer: str) -> None:
    """Read what is to be seen by its id, and try every by-id operation on what is not."""
    before = tenant.store()
    for operation in BY_ID:
        start, _, end = operation.path.partition("{")
        collection, end = KINDS[start], end.partition("}")[2]
        body = BODIES.get(operation.id)
        refusal = 403 if collection == "sub_entities" else 404  # a sub-entity manages none, not even its own
        for record in tenant.unseen(viewer, collection):
            answer = await tenant.clients[viewer].send(operation.method, start + record + end, body)
            assert answer.status == refusal, f"{viewer} {operation.id} {record}"
        for record in tenant.seen(viewer, collection) if operation.method == "GET" else ():
            assert (await tenant.clients[viewer].send("GET", start + record + end)).status == 200
    assert tenant.store() == before


async def try_to_use(tenant: Tenant, viewer: str) -> None:
    """Try to call, text and mint with what is not to be seen."""
    before, send = tenant.store(), tenant.clients[viewer].send
    for number in tenant.callers_of(viewer, seen=False):
        pair = {"from_number": number, "to_number": ORDINARY}
        for path, body in (
            ("/v1/calls/dial", pair),
            ("/v1/webrtc-token", pair),
            ("/v1/room-token", pair),
            ("/v1/client-tokens", {"from_numbers": [number]}),
            ("/v1/sms/send", {"from": number, "to": ORDINARY, "message": "Hello"}),
        ):
            assert (await send("POST", path, body)).status == 422, f"{viewer} {path} {number}"
    for agent in tenant.unseen(viewer, "agents"):
        assert (await send("POST", "/v1/calls", {"phoneNumber": ORDINARY, "assistantId": agent})).status == 404
        for number in tenant.seen(viewer, "phone_numbers"):
            assert (await send("PATCH", f"/v1/phone-numbers/{number}", {"agent_id": agent})).status == 404
    assert tenant.store() == before


async def write(tenant: Tenant, viewer: str) -> None:
    """Carry out the by-id writes on what is to be seen: none of them is not found."""
    for operation in BY_ID:
        start, _, end = operation.path.partition("{")
        for record in tenant.seen(viewer, KINDS[start]) if operation.method in {"POST", "PATCH"} else ():
            path, body = start + record + end.partition("}")[2], BODIES.get(operation.id)
            answer: Answer = await tenant.clients[viewer].send(operation.method, path, body)
            assert answer.status in {200, 409}, f"{viewer} {operation.id} {record}"


@given(settled=st.booleans(), deeds=deeds)
def test_each_key_sees_what_the_rule_says_and_nothing_else(deeds: list[tuple[str, Any, int]], *, settled: bool) -> None:
    tenant = opened()
    for owner in OWNERS if settled else ():
        buy(tenant, owner, 0)
    for owner, deed, which in deeds:
        deed(tenant, owner, which)

    async def everybody() -> None:
        for check in (look, try_ids, try_to_use, write):
            for viewer in OWNERS:
                await check(tenant, viewer)

    asyncio.run(everybody())
    assert tenant.clients[UMBRELLA].emulator.pipeline.breaches == []


def test_whoever_sees_an_agent_or_a_number_need_not_see_what_it_is_wired_to() -> None:
    tenant = opened()
    for owner in (DOWNTOWN, UPTOWN):
        buy(tenant, owner, 0)
    umbrella, uptown, downtown = (tenant.clients[owner] for owner in (UMBRELLA, UPTOWN, DOWNTOWN))
    [number], [agent] = tenant.seen(UPTOWN, "phone_numbers"), tenant.seen(DOWNTOWN, "agents")
    [own] = tenant.seen(DOWNTOWN, "phone_numbers")
    path = f"/v1/phone-numbers/{number}"
    assert umbrella("PATCH", path, {"agent_id": agent}).data["agent_id"] == agent
    assert uptown("PATCH", path, {}).data["agent_id"] is None
    assert downtown.get(f"/v1/agents/{agent}").data["phone_number"]["id"] == int(own)
    call = downtown.post("/v1/calls", {"phoneNumber": ORDINARY}).data["call_id"]
    assert downtown.get(f"/v1/calls/{call}").data["phone_number_id"] == int(own)


def test_a_contact_is_shared_among_those_who_see_it_only() -> None:
    tenant = opened()
    for owner in OWNERS:
        buy(tenant, owner, 0)
    contacts = {
        owner: tenant.clients[owner].post("/v1/calls", {"phoneNumber": ORDINARY}).data["contact_id"]
        for owner in (UPTOWN, DOWNTOWN, UMBRELLA, USER)
    }
    assert contacts[UPTOWN] != contacts[DOWNTOWN]
    assert contacts[UMBRELLA] == contacts[USER] == contacts[UPTOWN]


def test_each_sub_entity_has_auto_reply_settings_of_its_own() -> None:
    tenant = opened()
    for owner in (UMBRELLA, UPTOWN):
        tenant.clients[owner]("PATCH", "/v1/sms/config", {"default_prompt": owner})
    prompts = {owner: client.get("/v1/sms/config").data["default_prompt"] for owner, client in tenant.clients.items()}
    assert prompts == {UMBRELLA: UMBRELLA, USER: UMBRELLA, UPTOWN: UPTOWN, DOWNTOWN: None}


def test_numbers_of_a_sibling_are_not_for_sale_and_not_told() -> None:
    tenant = opened()
    offers = "/v1/phone-numbers/search?area_code=312&limit=1"
    [offer] = tenant.clients[UPTOWN].get(offers).data
    wanted = {"phone_number": offer["phone_number"]}
    assert tenant.clients[UPTOWN].post("/v1/phone-numbers", wanted).status == 200
    refused = tenant.clients[DOWNTOWN].post("/v1/phone-numbers", wanted)
    assert (refused.status, refused.code) == (409, "conflict")
    assert tenant.clients[DOWNTOWN].get(offers).data != [offer]
