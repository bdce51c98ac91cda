"""How the emulator runs (Settings), and what it does where the published docs are silent (Policies)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from revdesk_mock import public_url
from revdesk_mock.errors import StartError

LONGEST = 13  # digits of a number that a policy may have
RateLimit = int | Literal["off"] | None


def shipped(name: str) -> Path:
    """Return a file that belongs to the product: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).parent
    inside = package / name
    return inside if inside.exists() else package.parent / name


def _choice(default: str, *others: str, asks: str, source: str = "chosen") -> Any:
    return field(default=default, metadata={"choices": (default, *others), "asks": asks, "source": source})


def _number(default: int, low: int, high: int, *, asks: str, source: str = "chosen") -> Any:
    return field(default=default, metadata={"range": (low, high), "asks": asks, "source": source})


def _cap(default: int, *, asks: str, source: str = "chosen") -> Any:
    """Describe a limit: a whole number, or `off` (None)."""
    metadata = {"range": (0, 10**12), "off": True, "asks": asks, "source": source}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """One field for each open question: its default, its choices and where the default comes from."""

    # requests
    wrong_method_status: str = _choice("405", "404", asks="Status of a known path with another method")
    foreign_id_status: str = _choice("404", "403", asks="An id in the path that this key does not have")
    wrong_content_type_status: str = _choice("400", "415", asks="Status of a body that is not sent as JSON")
    body_too_large_status: str = _choice("400", "413", asks="Status of a body over 1 MiB")
    unknown_body_fields: str = _choice("ignore", "reject", asks="Body fields that the contract does not name")
    bad_cursor: str = _choice("reject", "ignore", asks="A cursor that no list handed out: 400, or the first page")
    request_id: str = _choice("generate", "echo", asks="Whether a client's own x-request-id is taken over")
    scope_check: str = _choice(
        "before_validation", "after_validation", asks="Which of two refusals wins: 403 for the scope or 400"
    )
    # idempotency
    idempotency_in_flight: str = _choice("conflict", "wait", asks="A duplicate while the first still runs")
    idempotency_body: str = _choice("canonical", "bytes", asks="How two bodies are compared")
    idempotency_key_format: str = _choice(
        "any",
        "uuid",
        asks="Whether a key that is no UUID is refused",
        source="inferred: the docs say UUID, the schema says string",
    )
    idempotency_replay_counts: str = _choice("yes", "no", asks="Whether a replay counts against the rate limit")
    # rate limit
    rate_limit_window: str = _choice("fixed", "sliding", asks="How the one-minute window moves")
    client_token_bucket: str = _choice("parent", "own", asks="Whose rate limit and idempotency keys a rdc_ token uses")
    # who may call whom
    unverified_caller_id_status: str = _choice(
        "422",
        "403",
        "404",
        "400",
        asks="Calling from a number that is not yours",
        source="inferred: the conventions page has 422 for a caller ID that is not verified",
    )
    client_token_bounds_status: str = _choice("403", "400", asks="A number outside the bounds of a rdc_ token or key")
    client_token_mint_status: str = _choice("403", "401", asks="Minting with a minted token")
    expired_client_token_status: str = _choice("401", "403", asks="A rdc_ token after its time")
    scope_escalation_status: str = _choice("403", "400", asks="Minting scopes that the key itself lacks")
    token_reuse_status: str = _choice("401", "403", "409", asks="A second join with a single-use token")
    # guardrails
    destination_status: str = _choice(
        "403", "400", "422", asks="A destination that is not allowed, or an emergency number"
    )
    spend_cap_status: str = _choice("403", "402", "429", asks="The daily spend cap is reached")
    concurrency_status: str = _choice("429", "409", "403", asks="The concurrency cap is reached")
    carrier_rejection_status: str = _choice("409", "422", "403", asks="The carrier refuses to place the call")
    daily_spend_cap_cents: int | None = _cap(10_000, asks="Daily spend cap, in US cents")
    concurrency_cap: int | None = _cap(50, asks="Channels in use at a time; a bridge uses two")
    calls_per_minute: int | None = _cap(120, asks="Calls placed within a minute")
    # calls and tokens
    call_status_case: str = _choice(
        "upper", "lower", asks="Spelling of call statuses", source="inferred: one docs example says QUEUED"
    )
    failed_call_status: str = _choice(
        "detailed", "failed", asks="Declined and unreachable calls: a status each, or FAILED for both"
    )
    talk_seconds: int = _number(30, 1, 14_400, asks="How long an ordinary call talks when nobody hangs up")
    webrtc_token_ttl_seconds: int = _number(
        14_400, 60, 86_400, asks="Life of a rvw_ token", source="inferred: it covers the longest call"
    )
    room_token_ttl_seconds: int = _number(3_600, 60, 14_400, asks="Life of a room token where ttl_seconds is absent")
    web_call_ttl_seconds: int = _number(900, 60, 14_400, asks="Life of the join token of an agent's web call")
    agent_mode: str = _choice(
        "echo",
        "speak",
        "tone",
        "silent",
        "hangup_after",
        asks="What an agent does in its room after the greeting, where neither call nor agent says",
    )
    called_party_mode: str = _choice(
        "echo", "silent", asks="What a called party does in a room after it has answered and said its sentence"
    )
    web_calls_in_list: str = _choice("yes", "no", asks="Whether browser calls with an agent are in GET /v1/calls")
    room_url_scheme: str = _choice("ws", "http", asks="Scheme of room_url (the secure one behind TLS)")
    usage_minutes: str = _choice("ceil", "exact", asks="Minutes of a call in usage: begun ones, or the exact time")
    # numbers and messages
    provisioning_seconds: int = _number(5, 0, 86_400, asks="From buying a number to its activation")
    cnam_propagation_hours: int = _number(
        48, 0, 240, asks="From setting a CNAM to its being live", source="documented: 24 to 72 hours"
    )
    caller_id_code: str = _choice(
        "hidden",
        "shown",
        asks="The code in the answer that starts a verification",
        source="documented: never returned, says the newer API document; this one has a field for it",
    )
    caller_id_code_minutes: int = _number(10, 1, 1_440, asks="How long a caller ID's code can be handed in")
    sub_entity_inherits_hipaa: str = _choice(
        "no",
        "yes",
        asks="Whether a new sub-entity under an umbrella with HIPAA has it on",
        source="documented: off at creation; an older page says inherited",
    )
    submitted_enterprise_status: str = _choice(
        "DRAFT", "PENDING_VETTING", asks="Status of a registration after submit, which signs nothing"
    )
    deleted_enterprise: str = _choice(
        "shown",
        "not_found",
        asks="Reading a deleted registration by its id",
        source="inferred: it is kept, with the status DELETED",
    )
    future_consent: str = _choice(
        "reject", "accept", asks="A consent_acknowledged_at over five minutes ahead of the clock"
    )
    vetting_seconds: int = _number(60, 0, 2_592_000, asks="From a submission to the carrier's verdict")
    brand_push: str = _choice(
        "nightly",
        "at_once",
        asks="When a submitted brand goes to the carrier: at the next 02:00 UTC, or at once",
        source="documented: by night; the hour is chosen",
    )
    enrol_on_purchase: str = _choice(
        "yes",
        "no",
        asks="Whether a US number is watched from its activation on",
        source="documented: caller-trust page",
    )
    score_refresh: str = _choice(
        "daily",
        "weekly",
        asks="Refresh of scores under the shared umbrella, and where check_frequency is absent",
        source="documented: daily, caller-trust page; a newer document says weekly",
    )
    texting_approval: str = _choice("ignored", "required", asks="Whether sending needs texting_status approved")

    @classmethod
    def parse(cls, assignments: Mapping[str, str]) -> "Policies":
        """Read name -> value texts; raises StartError naming the policy, its choices and a likely spelling."""
        return cls().changed(assignments)

    def changed(self, assignments: Mapping[str, Any]) -> "Policies":
        """Return them with some of them set, by texts, numbers or None for off; raises StartError as `parse` does."""
        known = {spec.name: spec for spec in fields(Policies)}
        values: dict[str, Any] = {}
        for name, value in assignments.items():
            if name not in known:
                raise StartError(f"unknown policy {name!r}{suggestion(name, known)}")
            values[name] = _read(name, "off" if value is None else str(value), known[name].metadata)
        return Policies(**{name: values.get(name, self._peek(name)) for name in known})

    def describe(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Yield (name, value in use, choices, question, source) for each policy."""
        for spec in fields(self):
            value = self._peek(spec.name)
            shown = "off" if value is None else str(value)
            yield spec.name, shown, _choices(spec.metadata), spec.metadata["asks"], spec.metadata["source"]

    def _peek(self, name: str) -> Any:
        """Return a policy without reading it: to show or copy it is not to depend on it."""
        return object.__getattribute__(self, name)


class WatchedPolicies(Policies):
    """Policies that note which of them are read, by name, in `read`: those that a test depends on."""

    read: set[str]

    def __getattribute__(self, name: str) -> Any:
        """Return an attribute; a policy is noted."""
        if name in Policies.__dataclass_fields__:
            object.__getattribute__(self, "read").add(name)
        return object.__getattribute__(self, name)

    @classmethod
    def watching(cls, policies: Policies, read: Iterable[str] = ()) -> "WatchedPolicies":
        """Return the same policies, watched, of which some have been read already."""
        watched = cls(**{spec.name: object.__getattribute__(policies, spec.name) for spec in fields(Policies)})
        object.__setattr__(watched, "read", set(read))
        return watched


def suggestion(name: str, known: Mapping[str, Any]) -> str:
    """Return `; did you mean 'x'?` where a known name is close, or nothing."""
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _choices(metadata: Mapping[str, Any]) -> str:
    if "choices" in metadata:
        return ", ".join(metadata["choices"])
    low, high = metadata["range"]
    return "a whole number, or off" if metadata.get("off") else f"{low} to {high}"


def _read(name: str, text: str, metadata: Mapping[str, Any]) -> str | int | None:
    if "choices" in metadata:
        if text in metadata["choices"]:
            return text
    elif text == "off" and metadata.get("off"):
        return None
    elif (
        text.isascii()
        and text.isdigit()
        and len(text) <= LONGEST
        and metadata["range"][0] <= int(text) <= metadata["range"][1]
    ):
        return int(text)
    raise StartError(f"policy {name} cannot be {text!r}: it takes {_choices(metadata)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the emulator itself runs: the contract, where worlds start, seeds, clock, limits, doors.

    `seed` None draws a fresh one; `rate_limit` None keeps the documented 600 and 120 a minute;
    `api_keys` empty lets any key in; `public_url` None tells clients the address at which they reached us;
    `faults` are the rules and recipes (by name) that every new world starts with, see docs/faults.md.
    Raises StartError for a `public_url` that cannot be one.
    """

    spec: Path = field(default_factory=lambda: shipped("openapi.json"))
    data: Path = field(default_factory=lambda: shipped("fixtures/default.json"))
    seed: str | None = None
    clock: Literal["real", "frozen"] = "real"
    rate_limit: RateLimit = None
    policies: Policies = field(default_factory=Policies)
    api_keys: tuple[str, ...] = ()
    public_url: str | None = None
    faults: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        if self.public_url is not None:
            try:
                object.__setattr__(self, "public_url", public_url.read(self.public_url))
            except ValueError as error:
                raise StartError(f"public_url: {error}") from error

    @property
    def prefix(self) -> str:
        """The path that the public URL puts before every other, mostly none."""
        return urlsplit(self.public_url or "").path

    def base_url(self, scheme: str, host: str | None) -> str:
        """Return the base of every address that a client is told, without a slash at its end.

        `scheme` and `host` (the header) are those of its own request, a WebSocket's too; the public URL wins over them.
        """
        return self.public_url or f"{scheme.replace('ws', 'http', 1)}://{host or '127.0.0.1'}"
