"""How a world is opened: with which key, fixture, seed, clock, policies, scopes and faults; read and checked whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from revdesk_mock import dumps
from revdesk_mock.clock import iso, parse_iso
from revdesk_mock.errors import StartError
from revdesk_mock.ids import random_key
from revdesk_mock.messages import JSON
from revdesk_mock.settings import Policies, Settings, WatchedPolicies, shipped, suggestion
from revdesk_mock.simulation.credentials import DEMO_PREFIX, ORGANIZATION, SCOPES, USER, USER_PREFIX

FIXTURES = ("default", "empty", "registered")  # those that come with the product
KINDS = (ORGANIZATION, USER)
STANDING = ("real", "frozen")  # clocks
FIELDS = ("key", "kind", "demo", "scopes", "data", "seed", "clock", "policy", "watch_policies", "faults")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a new world is opened with.

    `key` is its bearer, and decides with its text whose it is (see `credentials.kind_of`); `scopes` None leaves it
    those of its kind. `data` is a dump as `World.dump` writes it, None the emulator's fixture. With a `seed` its ids
    follow from that alone, else from the emulator's seed and the key. `settings` are those of the world; `faults`
    are rules and names of recipes, beside those of every world.
    """

    key: str
    settings: Settings
    scopes: frozenset[str] | None = None
    data: JSON = None
    seed: str | None = None
    faults: tuple[JSON, ...] = ()


def read(order: Mapping[str, Any], settings: Settings) -> Opening:
    """Read the order for a world: an object with any of `FIELDS`; raises StartError for what it cannot be."""
    for name in order:
        if name not in FIELDS:
            raise StartError(f"a world has no {name!r}{suggestion(name, dict.fromkeys(FIELDS))}")
    data = _data(order.get("data"))
    standing, data = _clock(order.get("clock"), settings, data)
    policies = _policies(order.get("policy", {}), settings.policies)
    if _flag(order, "watch_policies"):
        policies = WatchedPolicies.watching(policies)
    return Opening(
        key=_key(order),
        settings=replace(settings, clock=standing, policies=policies),
        scopes=_scopes(order.get("scopes")),
        data=data,
        seed=_seed(order.get("seed")),
        faults=_faults(order.get("faults", ())),
    )


def _key(order: Mapping[str, Any]) -> str:
    key, kind = order.get("key"), order.get("kind", ORGANIZATION)
    if kind not in KINDS:
        raise StartError(f"kind: {kind!r} is no kind of key; it takes {' or '.join(KINDS)}")
    demo = _flag(order, "demo")
    if key is None:
        if demo and kind == USER:
            raise StartError("demo: a demo key is an organization's")
        return random_key(DEMO_PREFIX if demo else USER_PREFIX if kind == USER else "revdesk_")
    if not isinstance(key, str) or not key.isascii() or not key.isprintable() or not key or " " in key:
        raise StartError("key: it takes a text of printable ASCII characters without spaces")
    if demo or "kind" in order:
        raise StartError(
            "key: its own text says what it is (revdesk_demo_..., revdesk_user_...); leave out kind and demo"
        )
    return key


def _flag(order: Mapping[str, Any], name: str) -> bool:
    value = order.get(name, False)
    if not isinstance(value, bool):
        raise StartError(f"{name}: {value!r:.40} is neither true nor false")
    return value


def _scopes(scopes: Any) -> frozenset[str] | None:
    if scopes is None:
        return None
    if not isinstance(scopes, Sequence) or isinstance(scopes, str):
        raise StartError('scopes: it takes a list, such as ["calls:read"]')
    for scope in scopes:
        if scope not in SCOPES:
            raise StartError(f"scopes: {scope!r} does not exist{suggestion(str(scope), dict.fromkeys(SCOPES))}")
    return frozenset(scopes)


def _data(data: Any) -> JSON:
    if data is None:
        return None
    if isinstance(data, str):
        if data not in FIXTURES:
            raise StartError(
                f"data: no fixture {data!r} comes with the product; it takes {', '.join(FIXTURES)} or a dump"
            )
        return dumps.load(shipped(f"fixtures/{data}.json"))
    return dumps.check_fixture(data, "data")


def _clock(clock: Any, settings: Settings, data: JSON) -> tuple[Literal["real", "frozen"], JSON]:
    """Return whether time runs or stands, and the dump with the instant that was asked for."""
    if clock is None:
        return settings.clock, data
    if clock in STANDING:
        return clock, data
    try:
        instant = iso(parse_iso(clock))
    except (TypeError, ValueError) as error:
        raise StartError(f"clock: {clock!r:.40} is none of real, frozen or an instant to stand at ({error})") from error
    return "frozen", {**(data if data is not None else dumps.load(settings.data)), "clock": instant}


def _policies(policy: Any, policies: Policies) -> Policies:
    if not isinstance(policy, Mapping):
        raise StartError('policy: it takes an object, such as {"foreign_id_status": "403"}')
    try:
        return policies.changed(policy)
    except StartError as error:
        raise StartError(f"policy: {error}") from error


def _faults(faults: Any) -> tuple[JSON, ...]:
    if not isinstance(faults, Sequence) or isinstance(faults, str):
        raise StartError('faults: it takes a list of rules and names of recipes, such as ["lost-reply"]')
    return tuple(faults)  # whether they can ever do anything depends on the contract: see `Emulator.open`


def _seed(seed: Any) -> str | None:
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, str | int)):
        raise StartError(f"seed: {seed!r:.40} is neither a text nor a whole number")
    return None if seed is None else str(seed)
