"""Links between operations: which ids an answer holds, and which operations take them.

They are those of the contract (OpenAPI's links), those of the product's own contract where the operations are the
same, and for the rest a list at `/things`, whose ids are for `/things/{id}`.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from revdesk_mock.messages import JSON
from revdesk_mock.spec import METHODS, Spec

BODY = "$response.body#/"
ITEM = "0"  # the position that a link's example has; here it stands for every item


class Link(NamedTuple):
    """The operation and the parameter of its path that take what an answer has at a place."""

    taker: str
    parameter: str
    place: tuple[str, ...]


class Id(NamedTuple):
    """An id that a server answered, and what takes it: pairs of an operation and the parameter of its path."""

    value: str
    takers: tuple[tuple[str, str], ...]

    def parameter_of(self, operation: str) -> str | None:
        """Return the parameter that this is for in the path of an operation; None where it is for none."""
        return dict(self.takers).get(operation)


class Links:
    """The links of one contract, by the operation that answers."""

    def __init__(self, spec: Spec, more: Spec | None = None) -> None:
        documents = [spec.document, *([more.document] if more else [])]
        self._links: dict[str, list[Link]] = {}
        linked = set()
        for source, link in (pair for document in documents for pair in _declared(document)):
            if {source, link.taker} <= spec.operations.keys():
                self._add(source, link)
                linked.add(link.taker)
        for source, link in _listed(spec):
            if link.taker not in linked:
                self._add(source, link)

    def sources(self, taker: str) -> list[str]:
        """Return the operations whose answers hold ids for an operation."""
        return [source for source, links in self._links.items() if any(link.taker == taker for link in links)]

    def ids_in(self, operation: str, body: JSON) -> list[Id]:
        """Return the ids in the answer of an operation."""
        takers: dict[str, list[tuple[str, str]]] = {}
        for link in self._links.get(operation, ()):
            for value in _values(body, link.place):
                takers.setdefault(str(value), []).append((link.taker, link.parameter))
        return [Id(value, tuple(taken)) for value, taken in takers.items()]

    def _add(self, source: str, link: Link) -> None:
        known = self._links.setdefault(source, [])
        if link not in known:
            known.append(link)


def _declared(document: Mapping[str, JSON]) -> Iterator[tuple[str, Link]]:
    for item in document["paths"].values():
        for node in (item[method] for method in METHODS if method in item):
            for response in node["responses"].values():
                for link in response.get("links", {}).values():
                    for parameter, expression in link.get("parameters", {}).items():
                        if str(expression).startswith(BODY):
                            place = tuple(expression.removeprefix(BODY).split("/"))
                            yield node["operationId"], Link(link.get("operationId", ""), parameter, place)


def _listed(spec: Spec) -> Iterator[tuple[str, Link]]:
    for operation in spec.operations.values():
        collection, brace, rest = operation.path.partition("/{")
        source = spec.match("GET", collection).operation if brace else None
        if source is not None:
            yield source.id, Link(operation.id, rest.partition("}")[0], ("data", ITEM, "id"))


def _values(node: JSON, place: tuple[str, ...]) -> Iterator[JSON]:
    """Yield the texts and whole numbers at a place."""
    if not place:
        if node != "" and isinstance(node, str | int) and not isinstance(node, bool):
            yield node
    elif isinstance(node, list) and place[0] == ITEM:
        for item in node:
            yield from _values(item, place[1:])
    elif isinstance(node, dict) and place[0] in node:
        yield from _values(node[place[0]], place[1:])
