"""Join tokens: each lets one client into one call, once. What they hold, and their life from issue to end."""

from revdesk_mock import room_address
from revdesk_mock.clock import SECOND, Clock
from revdesk_mock.errors import refused_by_policy, unauthorized
from revdesk_mock.ids import Dice, fingerprint
from revdesk_mock.messages import Reason, Record
from revdesk_mock.rtc.events import EVERYTHING, Grants
from revdesk_mock.settings import Policies
from revdesk_mock.signing import CALLING_TOKEN_PREFIX, Signer
from revdesk_mock.store import Store

ISSUED, JOINED, SPENT, EXPIRED, REVOKED = "issued", "joined", "spent", "expired", "revoked"


class JoinTokens:
    """One world's tokens for calls. A record keeps the SHA-256 of an opaque token, never the token.

    A token's state is not stored: it follows from its dates and its call (see `state`), so that the
    two can never disagree.
    """

    def __init__(self, store: Store, clock: Clock, dice: Dice, policies: Policies, signer: Signer) -> None:
        self._store = store
        self._clock = clock
        self._dice = dice
        self.policies = policies
        self._signer = signer

    def issue_calling(self, call: Record, ttl: int) -> str:
        """Return a `rvw_` token for one browser-placed call: opaque, single use (documented)."""
        # Two worlds of one seed draw the same: the world makes the token its own.
        token = CALLING_TOKEN_PREFIX + self._dice.hex(32) + self._signer.world_id
        self._record(self._dice.hex(24), "calling", call, ttl, sha256=fingerprint(token))
        return token

    def issue_room(
        self, call: Record, identity: str, ttl: int, *, leg: str | None = None, grants: Grants = EVERYTHING
    ) -> str:
        """Return a JWT that joins one room once: identity, room and grants, as LiveKit's clients read them.

        `leg` is the role of the leg that its bearer picks up, where it is for one.
        """
        now = self._clock.now() // SECOND
        token_id = self._dice.hex(24)
        self._record(token_id, "room", call, ttl, leg=leg)
        return self._signer.sign(
            {
                "iss": "revdesk-mock",
                "sub": identity,
                "jti": token_id,
                "nbf": now,
                "exp": now + ttl,
                "video": {
                    "room": room_address.name_of(call),
                    "roomJoin": True,
                    "canPublish": grants.can_publish,
                    "canSubscribe": grants.can_subscribe,
                    "canPublishData": grants.can_publish_data,
                    "canPublishSources": ["microphone"],
                },
            }
        )

    def join(self, token: str) -> Record:
        """Use a calling or room token, once; return its record. Raises ApiError as `check` does."""
        return self._store.update("tokens", self.check(token), joined_at=self._clock.now())

    def check(self, token: str) -> Record:
        """Return the record of a token that can be used; raises ApiError with the reason for any other."""
        record = self.find(token)
        state = self.state(record)
        if state != ISSUED:
            status = "401" if state in {EXPIRED, REVOKED} else self.policies.token_reuse_status
            reason = Reason("token.single_use", "the token", "a token that is issued", state)
            raise refused_by_policy(status, f"The token is {state}: it joins one call, once.", reason)
        return record

    def revoke(self, token: Record) -> None:
        """Take a token back, by its record."""
        self._store.update("tokens", token, revoked_at=self._clock.now())

    def states_of(self, call: Record) -> list[str]:
        """Return the state of each token of a call."""
        return [self.state(token) for token in self._store.find("tokens", "call_id", call["id"])]

    def bearer_of(self, token: str) -> tuple[str, Grants]:
        """Return as whom a token that `join` takes lets its bearer in, and what that may do there."""
        if token.startswith(CALLING_TOKEN_PREFIX):
            return f"caller-{self.find(token)['call_id']}", EVERYTHING
        claims = self._signer.read(token)
        video = claims["video"]
        return claims["sub"], Grants(video["canPublish"], video["canSubscribe"], video["canPublishData"])

    def knows(self, calling_token: str) -> bool:
        """Whether a `rvw_` token, whose text names no world, was issued here."""
        return bool(self._store.find("tokens", "sha256", fingerprint(calling_token)))

    def states_of_legs(self, call: Record) -> dict[str, str]:
        """Return the state of the latest token for each leg of a call that has one, by the leg's role."""
        tokens = self._store.find("tokens", "call_id", call["id"])
        return {token["leg"]: self.state(token) for token in tokens if token["leg"] is not None}

    def state(self, token: Record) -> str:
        """Tell where a token is in its life: issued, joined, spent, expired or revoked.

        The end of its call spends a joined token and revokes one that nobody used (documented:
        invalid after the call), as `revoke` does; its time runs out only while it is unused.
        """
        call = self._store.get("calls", token["call_id"])
        ended_at = 0 if call is None else call["ended_at"]
        if token["joined_at"] is not None:
            return JOINED if ended_at is None else SPENT
        if "revoked_at" in token or (ended_at is not None and ended_at < token["expires_at"]):
            return REVOKED
        return EXPIRED if self._clock.now() >= token["expires_at"] else ISSUED

    def find(self, token: str) -> Record:
        """Return the record of a token; raises ApiError (401) where none was issued here for it."""
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

    def _record(
        self, token_id: str, kind: str, call: Record, ttl: int, *, sha256: str | None = None, leg: str | None = None
    ) -> None:
        now = self._clock.now()
        record = {"id": token_id, "kind": kind, "call_id": call["id"], "leg": leg, "sha256": sha256, "issued_at": now}
        self._store.insert("tokens", {**record, "expires_at": now + ttl * SECOND, "joined_at": None})
