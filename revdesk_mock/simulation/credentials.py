"""Keys, scopes and tokens: what a bearer may do, and the life of every token from issue to its end."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from revdesk_mock.clock import SECOND, Clock
from revdesk_mock.errors import ApiError, refused_by_policy, unauthorized
from revdesk_mock.ids import Dice
from revdesk_mock.messages import JSON, Reason, Record
from revdesk_mock.settings import Policies
from revdesk_mock.signing import CALLING_TOKEN_PREFIX, CLIENT_TOKEN_PREFIX, JWT_PREFIX, Signer
from revdesk_mock.spec import Operation

SCOPES = (
    "account:read voice:read voice:write voice:webrtc calls:read calls:write agents:read agents:write "
    "phone_numbers:read phone_numbers:write sms:read sms:write caller_trust:read caller_trust:write "
    "brand:read brand:write sub_entities:read sub_entities:write usage:read tokens:mint "
    "webhooks:read webhooks:write"
).split()
READING = frozenset(scope for scope in SCOPES if scope.endswith(":read"))

# The scope family of each tag (inferred from the names); reads need `:read`, writes `:write` (documented).
FAMILIES: Mapping[str, str] = {
    "Account": "account",
    "Agents": "agents",
    "Branded Calling": "brand",
    "Caller IDs": "caller_trust",
    "Calls": "calls",
    "Documents": "caller_trust",
    "Enterprise Registration": "caller_trust",
    "Phone Numbers": "phone_numbers",
    "Reputation": "caller_trust",
    "SMS": "sms",
    "Sub-entities": "sub_entities",
    "Usage": "usage",
}
# Operations with a scope of their own: tokens:mint is documented, voice:webrtc inferred from client
# tokens, which carry it alone and serve browsers. GET /v1/me answers every key: it is how one asks.
OWN_SCOPES: Mapping[str, str | None] = {
    "v1_me_get": None,
    "v1_client_tokens_post": "tokens:mint",
    "v1_webrtc_token_post": "voice:webrtc",
    "v1_room_token_post": "voice:webrtc",
    "v1_agents_id_web_call_post": "voice:webrtc",
}

REFUSED_MARKS = ("invalid", "revoked", "expired")
DEMO_PREFIX = "revdesk_demo_"
READ_ONLY_PREFIX = "revdesk_readonly_"
USER_PREFIX = "revdesk_user_"
CLIENT_USE = "client"  # what tells a client token from a room token

ORGANIZATION, USER, SUB_ENTITY = "organization", "user", "sub_entity"  # whose a key is (documented)


@dataclass(frozen=True, slots=True)
class Credential:
    """What a bearer may do: an API key, or a client token minted from one.

    `id` is the API key's id; `bucket` is whose rate limit and idempotency keys it uses; `owner` is whose key it
    is, `team` the sub-entity of a sub-entity's key; `has_user` tells whether a person issued it; `callers` and
    `destinations` bound its calls (None: no bound).
    """

    id: str
    bucket: str
    scopes: frozenset[str]
    is_demo: bool = False
    owner: str = ORGANIZATION
    team: str | None = None
    has_user: bool = True
    is_client_token: bool = False
    callers: frozenset[str] | None = None
    destinations: frozenset[str] | None = None

    def sees(self, record: Record) -> bool:
        """Whether a record is visible, by the organization that it belongs to (documented: authentication page).

        A sub-entity's key sees what is its own, an organization's key all under the umbrella, a user's key
        that and what is the user's alone.
        """
        organization = record["organization_id"]
        if self.owner == SUB_ENTITY:
            return bool(organization == self.team)
        return self.owner == USER or organization is not None


@dataclass(frozen=True, slots=True)
class KeyKind:
    """What the text of a key selects: a demo key, whose key it is, and the scopes it has."""

    is_demo: bool
    owner: str
    scopes: frozenset[str]


def read_bearer(headers: Mapping[str, str]) -> str:
    """Return the bearer of `Authorization`; raises ApiError (401) that says what is wrong with the header."""
    header = headers.get("authorization")
    where = "header Authorization"
    if header is None:
        raise unauthorized("The Authorization header is missing.", "auth.missing", "Bearer <key>", "nothing", where)
    scheme, _, bearer = header.partition(" ")
    bearer = bearer.strip()
    if scheme.lower() != "bearer":
        raise unauthorized(
            "Authorization must be a Bearer key.", "auth.scheme", "Bearer <key>", f"{scheme[:20]} ...", where
        )
    if not bearer or " " in bearer:
        raise unauthorized(
            "Authorization holds no key after Bearer.", "auth.malformed", "Bearer <key>", "Bearer", where
        )
    return bearer


def kind_of(key: str) -> KeyKind:
    """Tell a key's kind from its text (chosen); raises ApiError (401) for a key that plays a refused one."""
    for mark in REFUSED_MARKS:
        if mark in key:
            raise unauthorized(
                f"The API key is {mark}.", f"auth.{mark}", "a key that is accepted", f"a key with {mark!r} in it"
            )
    if key.startswith((CALLING_TOKEN_PREFIX, JWT_PREFIX)):
        raise unauthorized("A token for one call is no API key.", "auth.kind", "an API key", "a calling or room token")
    if key.startswith(READ_ONLY_PREFIX):
        return KeyKind(is_demo=False, owner=ORGANIZATION, scopes=READING)
    owner = USER if key.startswith(USER_PREFIX) else ORGANIZATION
    return KeyKind(is_demo=key.startswith(DEMO_PREFIX), owner=owner, scopes=frozenset(SCOPES))


def required_scope(operation: Operation) -> str | None:
    """Return the scope that an operation needs, or None where any key will do."""
    if operation.id in OWN_SCOPES:
        return OWN_SCOPES[operation.id]
    family = FAMILIES.get(operation.tag)
    return f"{family}:{'read' if operation.method == 'GET' else 'write'}" if family else None


def check_scope(credential: Credential, operation: Operation, policies: Policies) -> None:
    """Raise ApiError (403) naming the scope that a credential lacks for an operation."""
    scope = required_scope(operation)
    if credential.is_client_token and scope == "tokens:mint":
        reason = Reason("auth.mint", "header Authorization", "an API key", "a client token")
        message = "A client token cannot mint another one."
        raise refused_by_policy(policies.client_token_mint_status, message, reason)
    if scope is not None and scope not in credential.scopes:
        held = " ".join(sorted(credential.scopes)) or "no scope"
        reason = Reason("auth.scope", "header Authorization", scope, held)
        raise ApiError("forbidden", f"This credential lacks the scope {scope}.", reason)


def _no_client_token(why: str) -> ApiError:
    return unauthorized("The client token is not valid.", "auth.client_token", "a token minted here", why)


class ClientTokens:
    """One world's client tokens: signed, and not stored."""

    def __init__(self, clock: Clock, dice: Dice, policies: Policies, signer: Signer) -> None:
        self._clock = clock
        self._dice = dice
        self.policies = policies
        self._signer = signer

    def mint(self, credential: Credential, claims: Mapping[str, JSON], ttl: int) -> str:
        """Return a `rdc_` token: a signed JWT with its bounds, scopes and end inside."""
        now = self._clock.now()
        dates = {"iat": now // SECOND, "exp": -(-now // SECOND) + ttl}  # never less than its time
        payload = {**claims, **dates, "use": CLIENT_USE, "sub": credential.id, "jti": self._dice.hex(24)}
        return CLIENT_TOKEN_PREFIX + self._signer.sign(payload)

    def read(self, token: str, parents: Mapping[str, Credential]) -> Credential:
        """Return what a `rdc_` token may do; raises ApiError (401; expired: by policy) for one that is no good.

        `parents` holds the world's API keys by id: the token is as good as the one that minted it.
        """
        try:
            claims = self._signer.read(token.removeprefix(CLIENT_TOKEN_PREFIX))
        except ValueError as error:
            raise _no_client_token(str(error)) from error
        if claims.get("use") != CLIENT_USE:
            raise _no_client_token("a token for something else")
        if claims["exp"] * SECOND <= self._clock.now():
            where, expected = "header Authorization", "a token that has not ended"
            reason = Reason("auth.client_token_expired", where, expected, "an expired one")
            status = self.policies.expired_client_token_status
            raise refused_by_policy(status, "The client token has expired.", reason)
        parent = parents.get(claims["sub"])
        if parent is None:
            raise _no_client_token("one whose API key is gone")
        own = self.policies.client_token_bucket == "own"
        return replace(
            parent,
            bucket=claims["jti"] if own else parent.bucket,
            scopes=frozenset(claims["scopes"]),
            is_client_token=True,
            callers=frozenset(claims["from_numbers"]),
            destinations=frozenset(claims["to_numbers"]) or None,
        )
