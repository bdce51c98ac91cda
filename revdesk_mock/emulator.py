"""The whole emulator, without a web framework: one contract, many worlds, one way in."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import orjson

from revdesk_mock import dumps, keys, state
from revdesk_mock.bill import Bill
from revdesk_mock.coverage import Coverage
from revdesk_mock.errors import ApiError, StartError, unauthorized
from revdesk_mock.faults import rules
from revdesk_mock.faults.rules import Rule
from revdesk_mock.ids import Dice, fingerprint, fresh_seed, random_key
from revdesk_mock.journal import Entry, Journal, summary
from revdesk_mock.messages import JSON, Request, Response
from revdesk_mock.opening import Opening
from revdesk_mock.pipeline import Pipeline
from revdesk_mock.resources import HANDLERS, STEPS
from revdesk_mock.settings import Settings, WatchedPolicies
from revdesk_mock.signing import CLIENT_TOKEN_PREFIX, world_of
from revdesk_mock.simulation import credentials
from revdesk_mock.simulation.credentials import SCOPES, Credential, KeyKind
from revdesk_mock.simulation.faults import Plan
from revdesk_mock.spec import Spec
from revdesk_mock.store import Change
from revdesk_mock.timeline import REQUEST, Event, Listener
from revdesk_mock.world import Snapshot, World


class Emulator:
    """Answers requests, each in the world of its key.

    A key that was never seen opens a new world from the fixture; with `settings.api_keys` only those
    keys do. Keys are kept as SHA-256 alone. `spec` is a contract that was loaded before, for those who
    make many emulators; without it the one that the settings name is read.
    """

    def __init__(self, settings: Settings | None = None, spec: Spec | None = None) -> None:
        self.settings = settings or Settings()
        self.seed = fresh_seed() if self.settings.seed is None else self.settings.seed
        self.spec = spec or Spec.load(self.settings.spec)
        self.coverage = Coverage()
        self.journal = Journal(self.coverage.note, self._tell_astray)
        self._bill_of_discarded = Bill()
        self._fixture = dumps.load(self.settings.data)
        self._faults = self._read_faults(self.settings.faults)
        self._keys: dict[str, tuple[World, Credential]] = {}  # by the SHA-256 of the key
        self._worlds: dict[str, World] = {}
        self._admitted = {fingerprint(key) for key in self.settings.api_keys}
        dice = Dice(f"{self.seed}:requests")
        self._audience: list[Listener] = []
        self.pipeline = Pipeline(self.spec, HANDLERS, self.settings, self.admit, self.journal, dice)

    def handle(self, request: Request) -> Coroutine[None, None, Response]:
        """Answer one request; never raises."""
        return self.pipeline.handle(request)

    def world(self, bearer: str) -> World:
        """Return the world of a bearer, opened now for a new key; raises ApiError (401) for a refused one."""
        return self.admit(bearer)[0]

    def admit(self, bearer: str) -> tuple[World, Credential]:
        """Return the world of a key or client token, and what that may do there; raises ApiError as `world` does."""
        if bearer.startswith(CLIENT_TOKEN_PREFIX):
            return self._admit_client_token(bearer)
        digest = fingerprint(bearer)
        found = self._keys.get(digest)
        if found is not None:
            return found
        kind = credentials.kind_of(bearer)
        if self._admitted and digest not in self._admitted:
            raise unauthorized("The API key is not known.", "auth.unknown", "a key given to --api-key", "another")
        credential = self._credential(digest, kind, self._fixture)
        return self._open(credential, self._fixture), credential

    def open(self, opening: Opening) -> World:
        """Open a world as it is ordered; raises StartError where its key is refused, or has one."""
        digest = fingerprint(opening.key)
        if digest in self._keys:
            raise StartError("key: it has a world already; delete that first, or leave the key out")
        try:
            kind = credentials.kind_of(opening.key)
        except ApiError as error:
            raise StartError(f"key: {error.message}") from error
        faults = self._read_faults(opening.faults)
        data = self._fixture if opening.data is None else opening.data
        if opening.scopes is not None:
            kind = replace(kind, scopes=opening.scopes)
        return self._open(self._credential(digest, kind, data), data, opening.settings, opening.seed, faults)

    def fork(self, world: World, snapshot: Snapshot | None = None) -> tuple[World, str]:
        """Open a world that begins as another is now, or as a snapshot of it was; return it and its key, shown once.

        Records are shared until one of the two changes them. Its faults are those of every new world.
        """
        memory = snapshot or world.snapshot()
        world.forks += 1
        key = random_key(credentials.DEMO_PREFIX if world.key.is_demo else "revdesk_")
        digest = fingerprint(key)
        credential = replace(world.key, id=self._key_id(digest), bucket=digest)
        standing: Literal["real", "frozen"] = "frozen" if world.clock.frozen else "real"
        policies = world.policies
        if isinstance(policies, WatchedPolicies):
            policies = WatchedPolicies.watching(policies)
        settings = replace(world.settings, clock=standing, policies=policies)
        dump = {**memory.dump, "dice": 0, "records": memory.store.dump()}
        return self._open(credential, dump, settings, f"{world.seed}:fork {world.forks}", memory=memory), key

    def replace(self, world: World, dump: JSON) -> None:
        """Make a world what a dump holds, its own or another's, in place; raises ApiError (400) where that is none.

        Minted keys of other worlds stay theirs.
        """
        state.check(dump)
        records = dump["records"]
        if "keys" in records:
            others = {digest for digest, (owner, _) in self._keys.items() if owner is not world}
            records = {**records, "keys": [key for key in records["keys"] if key["sha256"] not in others]}
        world.restore({**dump, "records": records})

    def discard(self, world: World) -> None:
        """Forget a world and its keys: they open new ones from now on."""
        with world.store.transaction():
            world.store.clear()  # whoever watches its records lets go
        world.clock.unwatch()
        world.clock.forget()
        world.clock.release()
        del self._worlds[world.id]
        self._bill_of_discarded += world.bill
        for credential in world.keys.values():
            del self._keys[credential.bucket]

    def on_event(self, listener: Listener) -> Callable[[], None]:
        """Call a function with every event of every world from now on, until what is returned is called."""
        self._audience.append(listener)
        return lambda: self._audience.remove(listener)

    def find_world(self, world_id: str) -> World | None:
        """Return a world by its id, or None."""
        return self._worlds.get(world_id)

    def worlds(self) -> list[World]:
        """Return every world that is open."""
        return list(self._worlds.values())

    @property
    def bill(self) -> Bill:
        """What all worlds would have cost, those that were discarded among them."""
        return sum((world.bill for world in self._worlds.values()), self._bill_of_discarded)

    def dump(self) -> JSON:
        """Return every world with the SHA-256, kind and scopes of its key."""
        return {
            "format": dumps.FORMAT,
            "worlds": [
                {
                    "key": {
                        "sha256": world.key.bucket,
                        "is_demo": world.key.is_demo,
                        "owner": world.key.owner,
                        "scopes": sorted(world.key.scopes),
                    },
                    "world": world.dump(),
                }
                for world in self._worlds.values()
            ],
        }

    def restore(self, path: Path) -> None:
        """Open the worlds of an export; raises StartError where the file is no export."""
        for key, dump in dumps.load_export(path):
            credential = Credential(
                self._key_id(key["sha256"]),
                key["sha256"],
                frozenset(key["scopes"]) & frozenset(SCOPES),
                is_demo=key["is_demo"],
                owner=key["owner"],
            )
            self._open(credential, dump)

    def close(self) -> None:
        """Let every request that waits in a world's time go on at once."""
        for world in self._worlds.values():
            world.clock.release()

    def _admit_client_token(self, token: str) -> tuple[World, Credential]:
        world = self._worlds.get(world_of(token.removeprefix(CLIENT_TOKEN_PREFIX)) or "")
        if world is None:
            raise unauthorized("The client token is not valid.", "auth.client_token", "a token minted here", "another")
        return world, world.client_tokens.read(token, world.keys)

    def _open(
        self,
        credential: Credential,
        dump: Mapping[str, JSON],
        settings: Settings | None = None,
        seed: str | None = None,
        faults: tuple[Rule, ...] = (),
        memory: Snapshot | None = None,
    ) -> World:
        own = f"{self.seed}:{credential.bucket}"
        world_id = Dice(f"{own}:world").hex(16)
        plan = Plan(self.spec, self._faults, faults)
        seed = own if seed is None else seed
        world = World(world_id, settings or self.settings, credential, seed, STEPS, dump, plan, self._audience, memory)
        self._worlds[world.id] = world
        self._let_in(world, credential)
        for record in world.store.all("keys"):
            self._let_in(world, keys.credential_of(world, record))
        world.store.on_commit(lambda changes: self._note_keys(world, changes))
        return world

    def _read_faults(self, orders: Sequence[JSON]) -> tuple[Rule, ...]:
        try:
            return rules.read_all(orders, self.spec)
        except StartError as error:
            raise StartError(f"faults: {error}") from error

    def _note_keys(self, world: World, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.collection != "keys":
                continue
            if change.before is not None:
                self._keys.pop(change.before["sha256"], None)
                world.keys.pop(change.before["id"], None)
            if change.after is not None:
                self._let_in(world, keys.credential_of(world, change.after))

    def _let_in(self, world: World, credential: Credential) -> None:
        self._keys[credential.bucket] = (world, credential)
        world.keys[credential.id] = credential

    def _credential(self, digest: str, kind: KeyKind, dump: JSON) -> Credential:
        """Return what the key that opens a world may do: without an organization it can only be a user's."""
        owner = kind.owner if dump["records"].get("organizations") else credentials.USER
        return Credential(self._key_id(digest), digest, kind.scopes, is_demo=kind.is_demo, owner=owner)

    def _tell_astray(self, entry: Entry) -> None:
        """Tell of a request that came into no world."""
        if entry.world is None and self._audience:
            event = Event(0, entry.at, entry.at, "", REQUEST, *summary(entry))
            for listener in self._audience:
                listener(event)

    def _key_id(self, digest: str) -> str:
        return Dice(f"{self.seed}:{digest}:key").uuid()


def export(emulator: Emulator, path: Path) -> None:
    """Write every world to a file, whole or not at all; raises StartError where it cannot be written."""
    for world in emulator.worlds():
        world.run_due()
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.write_bytes(orjson.dumps(emulator.dump(), option=orjson.OPT_INDENT_2))
        unfinished.replace(path)
    except OSError as error:
        raise StartError(f"export to {path}: {error.strerror}") from error
