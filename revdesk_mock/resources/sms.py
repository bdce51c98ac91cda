"""SMS: texts and the workspace's auto-reply settings."""

from revdesk_mock import placement
from revdesk_mock.clock import SECOND
from revdesk_mock.errors import ApiError
from revdesk_mock.exchange import Exchange, Reply
from revdesk_mock.messages import Reason, Record
from revdesk_mock.simulation import guardrails
from revdesk_mock.simulation.call_flow import script_for
from revdesk_mock.simulation.guardrails import Attempt
from revdesk_mock.world import World

QUEUED, SENT, DELIVERED, FAILED = "queued", "sent", "delivered", "failed"
TO_CARRIER, TO_HANDSET = 1 * SECOND, 2 * SECOND
SETTINGS = "sms"
DEFAULTS = {"auto_reply_enabled": False, "reply_delay_seconds": 0, "default_prompt": None}


def send(world: World, exchange: Exchange) -> Reply:
    """Queue a text from an owned active number; it is sent, then delivered or failed, on the clock."""
    body = exchange.body
    sender, recipient = body["from"], body["to"]
    number = world.guardrails.check_caller(sender, exchange.credential.sees, where="body /from", verified=False)
    if world.policies.texting_approval == "required" and number["texting_status"] != "approved":
        reason = Reason("sms.approval", "body /from", "a number with texting_status approved", number["texting_status"])
        raise ApiError("conflict", f"{sender} is not approved for texting.", reason)
    refusal = script_for(recipient).refusal
    attempt = Attempt(sender, recipient, channels=0, cost=guardrails.MESSAGE, refusal=refusal, field="to")
    placement.check_numbers(world, exchange.credential, attempt)
    world.guardrails.check_capacity(attempt)
    message = world.store.insert(
        "messages",
        {
            "id": f"msg_{world.dice.hex(24)}",
            "phone_number_id": number["id"],
            "from": sender,
            "to": recipient,
            "message": body["message"],
            "status": QUEUED,
            "created_at": world.clock.now(),
            "due_at": world.clock.now() + TO_CARRIER,
        },
    )
    return Reply({"message_id": message["id"], "to": recipient, "from": sender, "status": QUEUED})


def deliver(world: World, message: Record) -> None:
    """Carry a text one step on: accepted by the carrier, then at the handset, if that can be reached."""
    if message["status"] == QUEUED:
        due_at = message["due_at"] + TO_HANDSET
        world.store.update("messages", message, status=SENT, due_at=due_at)
    else:
        reached = script_for(message["to"]).answers
        world.store.update("messages", message, status=DELIVERED if reached else FAILED, due_at=None)


def show_settings(world: World, exchange: Exchange) -> Reply:
    """Answer the workspace's settings; auto-reply is off until somebody turns it on."""
    return Reply(_shown(_settings(world, exchange)))


def update_settings(world: World, exchange: Exchange) -> Reply:
    """Change what is given."""
    changes = {field: exchange.body[field] for field in DEFAULTS if field in exchange.body}
    return Reply(_shown(world.store.update("settings", _settings(world, exchange), **changes)))


def _settings(world: World, exchange: Exchange) -> Record:
    """Return the settings of the key's workspace: the umbrella's, or a sub-entity's own."""
    settings_id = exchange.credential.team or SETTINGS
    return world.store.get("settings", settings_id) or {"id": settings_id, **DEFAULTS}


def _shown(settings: Record) -> Record:
    return {field: value for field, value in settings.items() if field != "id"}


HANDLERS = {
    "v1_sms_send_post": send,
    "v1_sms_config_get": show_settings,
    "v1_sms_config_patch": update_settings,
}
STEPS = {"messages": deliver}
