"""Account: who the key belongs to, and the organization's footprint."""

from revdesk_mock import registrations
from revdesk_mock.clock import DAY, iso
from revdesk_mock.exchange import Exchange, Reply
from revdesk_mock.messages import JSON
from revdesk_mock.simulation.credentials import Credential
from revdesk_mock.world import World

PLAN = "scale"
DEMO_DAYS = 14


def show_identity(world: World, exchange: Exchange) -> Reply:
    """Answer who asks: user, organization, scopes of the credential in use, and the end of a demo."""
    credential = exchange.credential
    ends = iso(world.opened_at + DEMO_DAYS * DAY) if credential.is_demo else None
    return Reply(
        {
            **_owner(world, credential),
            "api_key_id": credential.id,
            "scopes": sorted(credential.scopes),
            "is_demo": credential.is_demo,
            "demo_expires_at": ends,
        }
    )


def show_account(world: World, exchange: Exchange) -> Reply:
    """Answer plan and footprint; numbers count from the moment they are bought, a brand from its submission on.

    The latter is inferred: a draft is nothing that the carrier has.
    """
    credential = exchange.credential
    enterprise = registrations.shown(world, credential)
    footprint = {
        "phone_numbers": sum(map(credential.sees, world.store.all("phone_numbers"))),
        "enrolled_reputation_numbers": sum(map(credential.sees, world.store.all("monitored_numbers"))),
        "own_brand_enterprise": enterprise is not None and enterprise["carrier_enterprise_id"] is not None,
    }
    return Reply(
        {
            **_owner(world, credential),
            "api_key_id": credential.id,
            "plan": PLAN,
            "footprint": footprint,
            "is_demo": credential.is_demo,
        }
    )


def _owner(world: World, credential: Credential) -> dict[str, JSON]:
    user, organization = world.user_of(credential), world.organization_of(credential)
    return {
        "user": user and {field: user[field] for field in ("id", "email", "name")},
        "organization": organization and {field: organization[field] for field in ("id", "name", "slug")},
    }


HANDLERS = {"v1_me_get": show_identity, "v1_account_get": show_account}
