"""Calls: AI calls, bridges of two phones, history and hang-up."""

from collections.abc import Mapping

from revdesk_mock import placement
from revdesk_mock.clock import iso_or_none
from revdesk_mock.errors import ApiError, invalid, not_found
from revdesk_mock.exchange import Exchange, Reply, owned, page, shown_status, visible
from revdesk_mock.messages import JSON, Reason, Record
from revdesk_mock.placement import Plan
from revdesk_mock.simulation.call_flow import leg
from revdesk_mock.world import Step, World

# Nobody observes how the numbers of this account are shown: the state is the one that the docs have for that.
NO_EVIDENCE: Mapping[str, JSON] = {
    "evidence_state": "NEEDS_DATA",
    "health_warning": None,
    "recommended_action": "none",
}
# What only operations that are not emulated would set, and what no published page names a value of.
UNKNOWN: Mapping[str, JSON] = {"source": None, "test_result": None, "credential_type": None}


def list_calls(world: World, exchange: Exchange) -> Reply:
    """Answer one page, newest first; `status` compares without regard to case.

    No call has a `source`: what would be one, the spam-label test, is not emulated.
    """
    status, source = exchange.query.get("status"), exchange.query.get("source")
    hidden = world.policies.web_calls_in_list == "no"

    def wanted(call: Record) -> bool:
        if source is not None or not exchange.credential.sees(call) or (hidden and call["kind"] == placement.WEB):
            return False
        return status is None or shown_status(world, call).casefold() == status.casefold()

    calls, meta = page(world, exchange, "calls", wanted)
    meta["total_results"] = sum(map(wanted, world.store.all("calls")))
    return Reply([describe(world, exchange.base_url, call) for call in calls], meta)


def show_call(world: World, exchange: Exchange) -> Reply:
    """Answer one call with whose it is; here the number's record id is a number."""
    call = _call(world, exchange)
    number_id = call["phone_number_id"]
    return Reply(
        {
            **describe(world, exchange.base_url, call),
            "phone_number_id": None if number_id is None else int(number_id),
            "organization_id": call["organization_id"],
            "user_id": call["user_id"],
        }
    )


def place_ai_call(world: World, exchange: Exchange) -> Reply:
    """Let an agent call a number, from its own number or else the account's newest active one."""
    body = exchange.body
    agent = _agent(world, exchange)
    number = _caller_of(world, exchange, agent)
    plan = Plan(
        kind=placement.AI,
        caller=number["phone_number"],
        destination=body["phoneNumber"],
        legs=[leg("destination", body["phoneNumber"], number["phone_number"])],
        agent_id=agent["id"],
        opening=body.get("script") or agent["greeting"],
        transcribe=number["transcription_enabled"],
        name=body.get("name"),
        field="phoneNumber",
    )
    call = placement.place(world, exchange.credential, plan)
    contact = _contact(world, exchange)
    data = {"call_id": call["id"], "contact_id": contact["id"], "status": shown_status(world, call)}
    return Reply(data, location=f"/v1/calls/{call['id']}")


def dial(world: World, exchange: Exchange) -> Reply:
    """Ring both phones and connect them: two legs, and each is shown `from_number` alone.

    Without `connect_number` the person is on `from_number` itself (inferred).
    """
    body = exchange.body
    caller, person = _exact_number(body), body.get("connect_number")
    plan = Plan(
        kind=placement.BRIDGE,
        caller=caller,
        destination=body["to_number"],
        legs=[
            leg("connect", person or caller, caller, scripted=person is not None),
            leg("destination", body["to_number"], caller),
        ],
        record=body["record"],
        amd=body["amd"],
        client_name=body.get("client_name"),
        client_label=body.get("client_label"),
    )
    call = placement.place(world, exchange.credential, plan)
    data = {
        "call_id": call["id"],
        "provider_call_sid": call["provider_call_sid"],
        "from_number": caller,
        "to_number": body["to_number"],
        "status": shown_status(world, call),
        "selection_source": "exact_from_number",
        **NO_EVIDENCE,
    }
    return Reply(data, location=f"/v1/calls/{call['id']}")


def hang_up(world: World, exchange: Exchange) -> Reply:
    """End a call; one that has ended answers the same success again."""
    call = world.calls.hang_up(_call(world, exchange))
    return Reply({"call_id": call["id"], "status": shown_status(world, call)})


def _call(world: World, exchange: Exchange) -> Record:
    return owned(world, exchange.credential, "calls", exchange.path["id"], "call")


def _agent(world: World, exchange: Exchange) -> Record:
    agent_id, sees = exchange.body.get("assistantId"), exchange.credential.sees
    if agent_id is None:
        agent = next((record for _, record in world.store.newest("agents") if sees(record)), None)
    else:
        agent = visible(world, exchange.credential, "agents", agent_id.lower())
        if agent is None:
            raise not_found("agent", agent_id, "body /assistantId")
    if agent is None or not agent["enabled"]:
        got = "no agent" if agent is None else "one that is switched off"
        reason = Reason("agent.enabled", "body /assistantId", "an agent that is enabled", got)
        raise ApiError("conflict", "There is no enabled agent to make this call.", reason)
    return agent


def _caller_of(world: World, exchange: Exchange, agent: Record) -> Record:
    own = reversed(world.store.find("phone_numbers", "agent_id", agent["id"]))
    newest = (record for _, record in world.store.newest("phone_numbers"))
    for number in (*own, *newest):
        if number["is_active"] and exchange.credential.sees(number):
            return number
    reason = Reason("agent.number", "this account", "an active phone number", "none")
    raise ApiError("conflict", "There is no active number to call from.", reason)


def _exact_number(body: dict[str, JSON]) -> str:
    """Return the number to call from; raises ApiError where a number set shall choose it: there are none here."""
    if "from_number" in body:
        return str(body["from_number"])
    if "number_set_id" in body:
        raise not_found("number set", body["number_set_id"], "body /number_set_id")
    expected = "from_number, or a number_set_id"
    raise invalid("from_number", "is required, or a number_set_id", rule="call.caller", expected=expected, got=None)


def _contact(world: World, exchange: Exchange) -> Record:
    """Return the called person's contact, of those that the key sees, or a new one."""
    number, credential = exchange.body["phoneNumber"], exchange.credential
    for contact in filter(credential.sees, world.store.find("contacts", "phone_number", number)):
        return contact
    organization_id = world.owners(credential)["organization_id"]
    person = {"phone_number": number, "name": exchange.body.get("name")}
    return world.store.insert("contacts", {"id": world.dice.uuid(), "organization_id": organization_id, **person})


def describe(world: World, base_url: str, call: Record) -> dict[str, JSON]:
    """Return a call as lists show it; its recording is at the address by which the client reached the emulator."""
    recording = f"{base_url}/_revdesk/worlds/{world.id}/calls/{call['id']}/recording.wav"
    return {
        "id": call["id"],
        "status": shown_status(world, call),
        "direction": call["direction"],
        "from_number": call["from_number"],
        "to_number": call["to_number"],
        "started_at": iso_or_none(call["started_at"]),
        "ended_at": iso_or_none(call["ended_at"]),
        "duration_seconds": call["duration_seconds"],
        "phone_number_id": call["phone_number_id"],
        "has_recording": call["has_recording"],
        "recording_url": recording if call["has_recording"] else None,
        "has_transcript": call["has_transcript"],
        "client_name": call["client_name"],
        "client_label": call["client_label"],
        **UNKNOWN,
    }


HANDLERS = {
    "v1_calls_get": list_calls,
    "v1_calls_post": place_ai_call,
    "v1_calls_id_get": show_call,
    "v1_calls_dial_post": dial,
    "v1_calls_id_hangup_post": hang_up,
}
STEPS: Mapping[str, Step] = {"calls": lambda world, call: world.calls.step(call)}
