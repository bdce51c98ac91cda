"""Keys beside a world's first one: an organization's, a user's or a sub-entity's, all of the same tenant."""

from collections.abc import Iterable

from revdesk_mock.errors import invalid, not_found
from revdesk_mock.ids import fingerprint
from revdesk_mock.messages import Record
from revdesk_mock.simulation.credentials import ORGANIZATION, SCOPES, SUB_ENTITY, USER, Credential
from revdesk_mock.world import World


def mint(world: World, owner: str, *, team: str | None, has_user: bool, scopes: Iterable[str]) -> tuple[str, Record]:
    """Let one more key into a world; return it, which happens once, and its record, which holds its SHA-256 alone.

    `owner` is organization, user or sub_entity (then `team` is the sub-entity's id). Raises ApiError (400, 404)
    for anything else. The docs leave minting to the dashboard; here it is the admin API.
    """
    _check(world, owner, team, has_user=has_user)
    known = _known(scopes)
    key = f"revdesk_{world.dice.hex(32)}"
    record = {
        "id": world.dice.uuid(),
        "sha256": fingerprint(key),
        "owner": owner,
        "team": team,
        "has_user": has_user,
        "scopes": known,
        "created_at": world.clock.now(),
    }
    with world.store.transaction():
        return key, world.store.insert("keys", record)


def credential_of(world: World, record: Record) -> Credential:
    """Return what a minted key may do; in a demo key's world all are demo keys (inferred: an account is demo)."""
    return Credential(
        record["id"],
        record["sha256"],
        frozenset(record["scopes"]),
        is_demo=world.key.is_demo,
        owner=record["owner"],
        team=record["team"],
        has_user=record["has_user"],
    )


def _check(world: World, owner: str, team: str | None, *, has_user: bool) -> None:
    kinds = (ORGANIZATION, USER, SUB_ENTITY)
    if owner not in kinds:
        raise invalid("owner", "is no kind of key", rule="key.owner", expected=f"one of {', '.join(kinds)}", got=owner)
    if owner == USER and not has_user:
        raise invalid("has_user", "must be true for a user's key", rule="key.user", expected="true", got=has_user)
    if (owner == SUB_ENTITY) != (team is not None):
        message = "is needed for a sub-entity's key, and for no other"
        raise invalid("sub_entity_id", message, rule="key.team", expected="the id of a sub-entity", got=team)
    if team is not None and world.store.get("sub_entities", team) is None:
        raise not_found("sub-entity", team, "body /sub_entity_id")


def _known(scopes: Iterable[str]) -> list[str]:
    wanted = set(scopes)
    unknown = sorted(wanted - set(SCOPES))
    if unknown:
        expected = f"among: {' '.join(SCOPES)}"
        raise invalid("scopes", "holds one that does not exist", rule="key.scopes", expected=expected, got=unknown[0])
    return [scope for scope in SCOPES if scope in wanted]
