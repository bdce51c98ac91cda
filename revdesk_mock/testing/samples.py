"""What the strategies draw: requests as they are sent, and answers as they come back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlencode

import orjson

from revdesk_mock.curl import KEY, URL, curl_line
from revdesk_mock.messages import JSON

if TYPE_CHECKING:
    from hypothesis.vendor.pretty import RepresentationPrinter

SHOWN = 2000  # characters of an answer's body that are printed


RequestKind = Literal["valid", "boundary", "invalid"]


class Trait(NamedTuple):
    """What is special about a sample: in which part, at which field (dotted; empty for all of it), and what.

    The trait of an invalid request is the keyword of the schema that it breaks.
    """

    part: str
    field: str
    what: str

    def __str__(self) -> str:
        return f"{self.part}{' ' * bool(self.field)}{self.field}: {self.what}"


class Shown:
    """What Hypothesis prints as what it is, and not as how it was drawn."""

    def _repr_pretty_(self, printer: "RepresentationPrinter", _: bool) -> None:  # noqa: FBT001 Hypothesis's signature
        printer.text(repr(self))


@dataclass(frozen=True, repr=False)
class SampleRequest(Shown):
    """One request for an operation, without a key.

    `path` is percent-encoded, `query` holds texts, `body` is empty where none is sent. `trait` is what is special: the
    limit of a request of the kind `boundary`, the fault of one of the kind `invalid`.
    """

    operation: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    kind: RequestKind = "valid"
    trait: Trait | None = None

    @property
    def fault(self) -> Trait | None:
        """What is wrong with it; None for a request that the contract admits."""
        return self.trait if self.kind == "invalid" else None

    @property
    def target(self) -> str:
        """The path with the query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def json(self) -> JSON:
        """The body as JSON; None where there is none."""
        return orjson.loads(self.body) if self.body else None

    def curl(self, url: str = URL) -> str:
        """Write it as a shell line for a server; the key is that of the variable REVDESK_API_KEY."""
        headers = {"Authorization": f"Bearer {KEY}", **self.headers}
        return curl_line(self.method, url, self.target, headers, self.body.decode())

    def __repr__(self) -> str:
        return f"{self.curl()}{_remark(self.trait)}"


@dataclass(frozen=True, repr=False)
class SampleResponse(Shown):
    """One answer of an operation; `trait` is what a client may not expect of it, None for nothing."""

    operation: str
    status: int
    body: bytes
    trait: Trait | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that say what the body is."""
        return {"content-type": "application/json"}

    @property
    def json(self) -> JSON:
        """The body as JSON."""
        return orjson.loads(self.body)

    def __repr__(self) -> str:
        text = self.body.decode()
        cut = f"{text[:SHOWN]}... ({len(self.body)} bytes)" if len(text) > SHOWN else text
        return f"{self.operation} {self.status} {cut}{_remark(self.trait)}"


def _remark(trait: Trait | None) -> str:
    return f"  # {trait}" if trait else ""
