"""A rule: which requests, when, and what fails; read from one flat JSON object, and checked whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from revdesk_mock.errors import StartError
from revdesk_mock.faults import effects, matching, when
from revdesk_mock.faults.failures import Failure
from revdesk_mock.faults.matching import Which
from revdesk_mock.faults.recipes import RECIPES
from revdesk_mock.faults.when import When
from revdesk_mock.journal import redact
from revdesk_mock.messages import JSON
from revdesk_mock.settings import suggestion
from revdesk_mock.spec import Spec

FAILING: Mapping[str, str] = {"do": "what happens: see below", "phase": "at which moment, where an effect has a choice"}
MEMBERS: Mapping[str, str] = {**matching.MEMBERS, **when.COUNTS, **FAILING}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, and how it was written."""

    which: Which
    when: When
    failure: Failure
    written: JSON


def read(order: JSON, spec: Spec) -> Rule:
    """Read a rule for a contract; raises StartError with the member's name in front where it can never do anything."""
    written = _kept(_known(order, MEMBERS, "a rule"))
    return Rule(matching.read(written, spec), when.read(written), _failure(written), written)


def read_all(orders: JSON, spec: Spec) -> tuple[Rule, ...]:
    """Read rules and names of recipes, all or none; raises StartError telling which of them is no good."""
    if not isinstance(orders, Sequence) or isinstance(orders, str):
        raise StartError("they are a list of rules and names of recipes")
    rules: list[Rule] = []
    for number, order in enumerate(orders, 1):
        try:
            rules += [read(each, spec) for each in (_recipe(order) if isinstance(order, str) else (order,))]
        except StartError as error:
            raise StartError(f"{number}: {error}" if len(orders) > 1 else str(error)) from error
    return tuple(rules)


def read_failure(order: JSON) -> Failure:
    """Read `do` and `phase` alone: a fault for one request; raises StartError."""
    return _failure(_known(order, FAILING, "one request's fault"))


def _known(order: JSON, members: Mapping[str, str], what: str) -> Mapping[str, JSON]:
    if not isinstance(order, Mapping):
        raise StartError(f'{what} is an object, such as {{"do": "reset"}}, not {order!r:.40}')
    for name in order:
        if name not in members:
            raise StartError(f"{what} has no {name!r:.40}{suggestion(str(name), members)}")
    return order


def _kept(order: Mapping[str, JSON]) -> JSON:
    """Return a copy of a rule to keep and to show; raises StartError where it holds what must be neither."""
    try:
        text = orjson.dumps(dict(order)).decode()
    except orjson.JSONEncodeError as error:
        raise StartError(f"a rule is JSON: {error}") from error
    if redact(text) != text:
        raise StartError("a rule holds no key and no token: it is kept, and shown to whoever asks")
    return orjson.loads(text)


def _failure(order: Mapping[str, JSON]) -> Failure:
    if "do" not in order:
        raise StartError(f"do: it is missing; there are {', '.join(effects.EFFECTS)}")
    return effects.read(order["do"], order.get("phase"))


def _recipe(name: str) -> Sequence[JSON]:
    if name not in RECIPES:
        raise StartError(f"there is no recipe {name!r:.40}{suggestion(name, RECIPES)}; there are {', '.join(RECIPES)}")
    return RECIPES[name].rules
