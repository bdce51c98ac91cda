"""Keys, scopes and tokens: what a bearer may do, and the life of every token from issue to its end."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from revdesk_mock.clock import SECOND, Clock
from revdesk_mock.errors import ApiError, refused_by_policy
from revdesk_mock.ids import Dice, fingerprint
from revdesk_mock.messages import JSON, Reason, Record
from revdesk_mock.settings import Policies
from revdesk_mock.signing import Signer
from revdesk_mock.spec import Operation
from revdesk_mock.store import Store

SCOPES = (
    "account:read voice:read voice:write voice:webrtc calls:read calls:write agents:read agents:write "
    "phone_numbers:read phone_numbers:write sms:read sms:write caller_trust:read caller_trust:write "
    "brand:read brand:write sub_entities:read sub_entities:write usage:read tokens:mint "
    "webhooks:read webhooks:write"
).split()
READING = frozenset(scope for scope in SCOPES if scope.endswith(":read"))

# The scope family of each tag; reads need `:read`, writes `:write` (documented rule of thumb).
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
CLIENT_TOKEN_PREFIX = "rdc_"
CLIENT_USE = "client"  # what tells a client token from a room token
CALLING_TOKEN_PREFIX = "rvw_"
JWT_PREFIX = "eyJ"

ORGANIZATION, USER, SUB_ENTITY = "organization", "user", "sub_entity"  # whose a key is (documented)

ISSUED, JOINED, SPENT, EXPIRED, REVOKED = "issued", "joined", "spent", "expired", "revoked"


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


def unauthorized(message: str, rule: str, expected: str, got: str, where: str = "header Authorization") -> ApiError:
    """Build the 401; the pipeline adds the `WWW-Authenticate` challenge."""
    return ApiError("unauthorized", message, Reason(rule, where, expected, got))


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


class Credentials:
    """One world's tokens. A token record keeps the SHA-256 of an opaque token, never the token.

    A token's state is not stored: it follows from its dates and its call (see `state`), so that the
    two can never disagree.
    """

    def __init__(self, store: Store, clock: Clock, dice: Dice, policies: Policies, signer: Signer) -> None:
        self._store = store
        self._clock = clock
        self._dice = dice
        self._policies = policies
        self._signer = signer

    # client tokens: signed, not stored

    def mint_client_token(self, credential: Credential, claims: Mapping[str, JSON], ttl: int) -> str:
        """Return a `rdc_` token: a signed JWT with its bounds, scopes and end inside."""
        now = self._clock.now()
        dates = {"iat": now // SECOND, "exp": -(-now // SECOND) + ttl}  # never less than its time
        payload = {**claims, **dates, "use": CLIENT_USE, "sub": credential.id, "jti": self._dice.hex(24)}
        return CLIENT_TOKEN_PREFIX + self._signer.sign(payload)

    def read_client_token(self, token: str, parents: Mapping[str, Credential]) -> Credential:
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
            status = self._policies.expired_client_token_status
            raise refused_by_policy(status, "The client token has expired.", reason)
        parent = parents.get(claims["sub"])
        if parent is None:
            raise _no_client_token("one whose API key is gone")
        own = self._policies.client_token_bucket == "own"
        return replace(
            parent,
            bucket=claims["jti"] if own else parent.bucket,
            scopes=frozenset(claims["scopes"]),
            is_client_token=True,
            callers=frozenset(claims["from_numbers"]),
            destinations=frozenset(claims["to_numbers"]) or None,
        )

    # calling and room tokens: single use, pinned to a call

    def issue_calling_token(self, call: Record, ttl: int) -> str:
        """Return a `rvw_` token for one browser-placed call: opaque, single use (documented)."""
        token = CALLING_TOKEN_PREFIX + self._dice.hex(48)
        self._record(self._dice.hex(24), "calling", call, ttl, sha256=fingerprint(token))
        return token

    def issue_room_token(self, call: Record, identity: str, ttl: int) -> str:
        """Return a JWT that joins one room once: identity, room and grants, as LiveKit's clients read them."""
        now = self._clock.now() // SECOND
        token_id = self._dice.hex(24)
        self._record(token_id, "room", call, ttl, sha256=None)
        return self._signer.sign(
            {
                "iss": "revdesk-mock",
                "sub": identity,
                "jti": token_id,
                "nbf": now,
                "exp": now + ttl,
                "video": {
                    "room": call["room_name"],
                    "roomJoin": True,
                    "canPublish": True,
                    "canSubscribe": True,
                    "canPublishData": True,
                    "canPublishSources": ["microphone"],
                },
            }
        )

    def join(self, token: str) -> Record:
        """Use a calling or room token, once; return its record. Raises ApiError with the reason otherwise."""
        record = self._find(token)
        state = self.state(record)
        if state != ISSUED:
            status = "401" if state in {EXPIRED, REVOKED} else self._policies.token_reuse_status
            reason = Reason("token.single_use", "the token", "a token that is issued", state)
            raise refused_by_policy(status, f"The token is {state}: it joins one call, once.", reason)
        return self._store.update("tokens", record, joined_at=self._clock.now())

    def state(self, token: Record) -> str:
        """Tell where a token is in its life: issued, joined, spent, expired or revoked.

        The end of its call spends a joined token and revokes one that nobody used (documented:
        invalid after the call); its time runs out only while it is unused.
        """
        call = self._store.get("calls", token["call_id"])
        ended_at = 0 if call is None else call["ended_at"]
        if token["joined_at"] is not None:
            return JOINED if ended_at is None else SPENT
        if ended_at is not None and ended_at < token["expires_at"]:
            return REVOKED
        return EXPIRED if self._clock.now() >= token["expires_at"] else ISSUED

    def _find(self, token: str) -> Record:
        if token.startswith(CALLING_TOKEN_PREFIX):
            for record in self._store.find("tokens", "sha256", fingerprint(token)):
                return record
            raise unauthorized(
                "No such calling token.", "token.unknown", "a token issued by this key", "another", "the token"
            )
        try:
            claims = self._signer.read(token)
        except ValueError as error:
            raise unauthorized(
                "The room token is not valid.", "token.signature", "a token issued here", str(error), "the token"
            ) from error
        found = self._store.get("tokens", claims.get("jti", ""))
        if found is None:
            raise unauthorized(
                "The room token's call is gone.", "token.unknown", "a token of a call", "none", "the token"
            )
        return found

    def _record(self, token_id: str, kind: str, call: Record, ttl: int, *, sha256: str | None) -> None:
        now = self._clock.now()
        record = {"id": token_id, "kind": kind, "call_id": call["id"], "sha256": sha256, "issued_at": now}
        self._store.insert("tokens", {**record, "expires_at": now + ttl * SECOND, "joined_at": None})
