"""Sub-entities: the organizations under an umbrella, with their HIPAA flag and their counts."""

import re

from revdesk_mock.clock import iso
from revdesk_mock.errors import ApiError
from revdesk_mock.exchange import Exchange, Reply, owned, page
from revdesk_mock.messages import JSON, Reason, Record
from revdesk_mock.simulation.credentials import SUB_ENTITY
from revdesk_mock.world import World

NO_SLUG = re.compile(r"[^a-z0-9]+")


def list_sub_entities(world: World, exchange: Exchange) -> Reply:
    """Answer one page, newest first."""
    _umbrella(world, exchange)
    found, meta = page(world, exchange, "sub_entities")
    return Reply([_shown(world, record) for record in found], meta)


def create(world: World, exchange: Exchange) -> Reply:
    """Add an organization under the umbrella; the person behind the key becomes its owner (documented)."""
    umbrella, body = _umbrella(world, exchange), exchange.body
    slug, user = _slug(world, umbrella, body), world.user_of(exchange.credential)
    inherits = world.policies.sub_entity_inherits_hipaa == "yes" and umbrella["hipaa_enabled"]
    record = world.store.insert(
        "sub_entities",
        {
            "id": world.dice.uuid(),
            "organization_id": umbrella["id"],
            "name": body["name"],
            "slug": slug,
            "hipaa_enabled": inherits,
            "members": [] if user is None else [user["id"]],
            "created_at": world.clock.now(),
        },
    )
    return Reply(_shown(world, record), location=f"/v1/sub-entities/{record['id']}")


def show(world: World, exchange: Exchange) -> Reply:
    """Answer one sub-entity."""
    return Reply(_shown(world, _sub_entity(world, exchange)))


def update(world: World, exchange: Exchange) -> Reply:
    """Rename it or switch its HIPAA flag, which cannot go off while the umbrella's is on (documented: fail-closed)."""
    record, body = _sub_entity(world, exchange), exchange.body
    if body.get("hipaa_enabled") is False and _umbrella(world, exchange)["hipaa_enabled"]:
        reason = Reason("sub_entity.hipaa", "body /hipaa_enabled", "true, as for the umbrella", "false")
        raise ApiError("conflict", "HIPAA cannot be switched off here while the umbrella has it on.", reason)
    changes = {field: body[field] for field in ("name", "hipaa_enabled") if field in body}
    return Reply(_shown(world, world.store.update("sub_entities", record, **changes)))


def _umbrella(world: World, exchange: Exchange) -> Record:
    """Return the umbrella organization; raises ApiError where the key is a sub-entity's, or there is none."""
    if exchange.credential.owner == SUB_ENTITY:
        reason = Reason("sub_entity.umbrella", "header Authorization", "a key of the umbrella", "one of a sub-entity")
        raise ApiError("forbidden", "Sub-entities are managed with a key of the umbrella organization.", reason)
    umbrella = world.organization
    if umbrella is None:
        reason = Reason("sub_entity.umbrella", "this account", "an organization", "none")
        raise ApiError("conflict", "There is no organization to be the umbrella.", reason)
    return umbrella


def _sub_entity(world: World, exchange: Exchange) -> Record:
    _umbrella(world, exchange)
    return owned(world, exchange.credential, "sub_entities", exchange.path["id"].lower(), "sub-entity")


def _slug(world: World, umbrella: Record, body: dict[str, JSON]) -> str:
    """Return the slug asked for, or one made of the name; raises ApiError (409) for one that is taken (chosen)."""
    taken = {umbrella["slug"], *(record["slug"] for record in world.store.all("sub_entities"))}
    asked: str | None = body.get("slug")
    if asked is not None:
        if asked in taken:
            reason = Reason("sub_entity.slug", "body /slug", "a slug that is not in use", asked)
            raise ApiError("conflict", f"The slug {asked!r} is taken.", reason)
        return asked
    made = NO_SLUG.sub("-", body["name"].lower()).strip("-") or "sub-entity"
    free = made
    number = 1
    while free in taken:
        number += 1
        free = f"{made}-{number}"
    return free


def _shown(world: World, record: Record) -> dict[str, JSON]:
    return {
        **{field: record[field] for field in ("id", "name", "slug", "hipaa_enabled")},
        "parent_organization_id": record["organization_id"],
        "member_count": len(record["members"]),
        "phone_number_count": len(world.store.find("phone_numbers", "organization_id", record["id"])),
        "created_at": iso(record["created_at"]),
    }


HANDLERS = {
    "v1_sub_entities_get": list_sub_entities,
    "v1_sub_entities_post": create,
    "v1_sub_entities_id_get": show,
    "v1_sub_entities_id_patch": update,
}
