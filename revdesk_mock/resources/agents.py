"""Agents: the AI voices of an account, and browser calls with one."""

from revdesk_mock import placement, room_address
from revdesk_mock.clock import iso
from revdesk_mock.errors import ApiError
from revdesk_mock.exchange import Exchange, Reply, owned, page
from revdesk_mock.messages import JSON, Reason, Record
from revdesk_mock.placement import Plan
from revdesk_mock.simulation import agent_modes
from revdesk_mock.simulation.call_flow import leg
from revdesk_mock.world import World

BROWSER = "browser"  # what stands for a phone number at the browser's end of a call


def list_agents(world: World, exchange: Exchange) -> Reply:
    """Answer one page, newest first, without system prompts."""
    agents, meta = page(world, exchange, "agents")
    return Reply([_summary(world, exchange, agent) for agent in agents], meta)


def show_agent(world: World, exchange: Exchange) -> Reply:
    """Answer one agent with its system prompt."""
    return Reply(_detail(world, exchange, _agent(world, exchange)))


def update_agent(world: World, exchange: Exchange) -> Reply:
    """Change what is given; the next call uses it."""
    changes = {field: exchange.body[field] for field in WRITABLE if field in exchange.body}
    agent = world.store.update("agents", _agent(world, exchange), **changes, updated_at=world.clock.now())
    return Reply(_detail(world, exchange, agent))


def start_web_call(world: World, exchange: Exchange) -> Reply:
    """Put the agent into a room and hand out the token that joins it, once; the call starts on joining."""
    agent = _agent(world, exchange)
    if not agent["enabled"]:
        raise ApiError(
            "conflict",
            f"The agent {agent['name']!r} is switched off.",
            Reason("agent.enabled", "path /id", "an agent that is enabled", "one that is not"),
        )
    ttl = world.policies.web_call_ttl_seconds
    number = number_of(world, exchange, agent)
    plan = Plan(
        kind=placement.WEB,
        caller=BROWSER,
        destination=number["phone_number"] if number else f"agent:{agent['id']}",
        legs=[leg("agent", agent["id"], BROWSER, scripted=False)],
        agent_id=agent["id"],
        opening=agent["greeting"],
        has_room=True,
        behaviour=agent_modes.choose(exchange.behaviour, agent, world.policies.agent_mode),
        expires_in=ttl,
    )
    call = placement.place_in_browser(world, exchange.credential, plan)
    token = world.join_tokens.issue_room(call, f"{BROWSER}-{call['id']}", ttl)
    return Reply(
        {
            "token": token,
            "room_url": room_address.of(exchange.base_url, world.policies.room_url_scheme),
            "room_name": call["room_name"],
            "expires_in": ttl,
            "agent_id": agent["id"],
            "ice_servers": [],
        }
    )


WRITABLE = ("name", "enabled", "greeting", "system_prompt", "voice_id", "language")


def number_of(world: World, exchange: Exchange, agent: Record) -> Record | None:
    """Return the number that an agent answers: of several that the key sees, the one that was bought last."""
    numbers = list(filter(exchange.credential.sees, world.store.find("phone_numbers", "agent_id", agent["id"])))
    return numbers[-1] if numbers else None


def _agent(world: World, exchange: Exchange) -> Record:
    return owned(world, exchange.credential, "agents", exchange.path["id"].lower(), "agent")


def _summary(world: World, exchange: Exchange, agent: Record) -> dict[str, JSON]:
    number = number_of(world, exchange, agent)
    fields = ("id", "name", "enabled", "greeting", "language", "voice_id", "business_name", "business_description")
    return {
        **{field: agent[field] for field in fields},
        "agent_type": agent["agent_type"] if number else "unassigned",
        "phone_number": number and _number(number),
        "created_at": iso(agent["created_at"]),
        "updated_at": iso(agent["updated_at"]),
    }


def _detail(world: World, exchange: Exchange, agent: Record) -> dict[str, JSON]:
    return {**_summary(world, exchange, agent), "system_prompt": agent["system_prompt"]}


def _number(number: Record) -> dict[str, JSON]:
    shown = {field: number[field] for field in ("provider", "is_active")}
    return {**shown, "id": int(number["id"]), "phone_number": number["shown_number"]}


HANDLERS = {
    "v1_agents_get": list_agents,
    "v1_agents_id_get": show_agent,
    "v1_agents_id_patch": update_agent,
    "v1_agents_id_web_call_post": start_web_call,
}
