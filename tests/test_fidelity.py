"""The fidelity ledger is true: each row is of a known kind, names its source, and a test that there is."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

from docs.tables import KINDS, behaviours
from revdesk_mock.resources import HANDLERS
from tests.conftest import SPEC

ROOT = Path(__file__).parent.parent
TAGS = {operation.tag for operation in SPEC.operations.values()}
ACROSS = {
    "Authentication",
    "Visibility",
    "Requests",
    "Errors",
    "Idempotency",
    "Rate limits",
    "Pagination",
    "Guardrails",
    "Tokens",
    "Policies",
}
PUBLISHED = {"API document", "SDK", "page"}  # what is documented is so in one of these
LEDGER = behaviours()
BY_HAND = [row for row in LEDGER if row.area != "Policies"]  # the words of a policy are in its field


@cache
def shown_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_row_is_of_a_known_area_and_kind() -> None:
    assert {row.area for row in LEDGER} <= TAGS | ACROSS
    assert {row.kind for row in LEDGER} == set(KINDS)


def test_every_row_is_one_sentence_that_is_said_once() -> None:
    said = Counter(row.says for row in LEDGER)
    assert [says for says, times in said.items() if times > 1] == []
    assert [row.says for row in BY_HAND if not row.says.endswith(".") or {"|", "\n"} & {*row.says, *row.source}] == []


def test_every_row_tells_its_source_and_what_is_documented_where_it_was_published() -> None:
    assert [row.says for row in LEDGER if not row.source] == []
    documented = [row for row in BY_HAND if row.kind == "documented"]
    assert [row.says for row in documented if not any(name in row.source for name in PUBLISHED)] == []


def test_every_row_is_shown_by_a_test_that_there_is() -> None:
    named = {row.test.partition("::")[::2] for row in LEDGER}
    assert [f"{file}::{name}" for file, name in sorted(named) if name not in shown_in(file)] == []


def test_every_operation_that_is_emulated_is_in_the_ledger() -> None:
    named = {operation for row in LEDGER for operation in row.operations}
    assert sorted(set(HANDLERS) - named) == []
    assert sorted(named - set(SPEC.operations)) == []
