"""The whole emulator, without a web framework: one contract, many worlds, one way in."""

from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path

import orjson

from revdesk_mock import dumps, keys
from revdesk_mock.errors import StartError, unauthorized
from revdesk_mock.ids import Dice, fingerprint, fresh_seed
from revdesk_mock.journal import Journal
from revdesk_mock.messages import JSON, Request, Response
from revdesk_mock.pipeline import Pipeline
from revdesk_mock.resources import HANDLERS, STEPS
from revdesk_mock.settings import Settings
from revdesk_mock.signing import CLIENT_TOKEN_PREFIX, world_of
from revdesk_mock.simulation import credentials
from revdesk_mock.simulation.credentials import SCOPES, Credential
from revdesk_mock.spec import Spec
from revdesk_mock.store import Change
from revdesk_mock.world import World


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
        self.journal = Journal()
        self._fixture = dumps.load(self.settings.data)
        self._keys: dict[str, tuple[World, Credential]] = {}  # by the SHA-256 of the key
        self._worlds: dict[str, World] = {}
        self._admitted = {fingerprint(key) for key in self.settings.api_keys}
        dice = Dice(f"{self.seed}:requests")
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
        credential = Credential(
            self._key_id(digest), digest, kind.scopes, is_demo=kind.is_demo, owner=self._owner(kind.owner)
        )
        return self._open(credential, self._fixture), credential

    def find_world(self, world_id: str) -> World | None:
        """Return a world by its id, or None."""
        return self._worlds.get(world_id)

    def worlds(self) -> list[World]:
        """Return every world that is open."""
        return list(self._worlds.values())

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

    def _open(self, credential: Credential, dump: Mapping[str, JSON]) -> World:
        world = World(self.settings, credential, self.seed, STEPS, dump)
        self._worlds[world.id] = world
        self._let_in(world, credential)
        for record in world.store.all("keys"):
            self._let_in(world, keys.credential_of(world, record))
        world.store.on_commit(lambda changes: self._note_keys(world, changes))
        return world

    def _note_keys(self, world: World, changes: Sequence[Change]) -> None:
        for change in changes:
            if change.collection == "keys" and change.after is not None:
                self._let_in(world, keys.credential_of(world, change.after))

    def _let_in(self, world: World, credential: Credential) -> None:
        self._keys[credential.bucket] = (world, credential)
        world.keys[credential.id] = credential

    def _owner(self, owner: str) -> str:
        """Tell whose key opens a world: without an organization it can only be a user's."""
        return owner if self._fixture["records"].get("organizations") else credentials.USER

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
