"""The tables of the documentation that come from the code. `python docs/tables.py` writes them into their pages."""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import orjson

from revdesk_mock import cli
from revdesk_mock.admin import docs as admin_docs
from revdesk_mock.audit import RULES
from revdesk_mock.commands.options import PREFIX
from revdesk_mock.errors import STATUS
from revdesk_mock.faults.effects import EFFECTS
from revdesk_mock.faults.failures import PHASES
from revdesk_mock.faults.recipes import RECIPES
from revdesk_mock.faults.rules import MEMBERS
from revdesk_mock.journal_query import FILTERS
from revdesk_mock.settings import Policies, shipped
from revdesk_mock.simulation.call_flow import magic_table
from revdesk_mock.simulation.guardrails import PRICES
from revdesk_mock.spec import Spec

ROOT = Path(__file__).parent.parent
MARKED = re.compile(r"(<!-- table: ([a-z-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
KINDS = ("documented", "inferred", "chosen")


class Behaviour(NamedTuple):
    """One row of the fidelity ledger; `test` is `file::function`, and `operations` empty where it concerns them all."""

    area: str
    says: str
    kind: str
    source: str
    test: str
    operations: Sequence[str] = ()


def magic_numbers() -> str:
    """Return what each magic number does."""
    rows = ((f"`{pattern}`" if "+" in pattern else pattern, script.summary) for pattern, script in magic_table())
    return table(("number", "what happens"), rows)


def policies() -> str:
    """Return each policy with its default, choices and source."""
    rows = (
        (f"`{name}`", f"`{value}`", choices, question, source)
        for name, value, choices, question, source in Policies().describe()
    )
    return table(("policy", "default", "choices", "open question", "source of the default"), rows)


def options() -> str:
    """Return the options of `serve` with their environment twins."""
    rows = []
    for option in cli.serve.params:
        if isinstance(option, click.Option) and option.name:
            variable = option.envvar or f"{PREFIX}_{option.name.upper()}"
            rows.append((f"`{max(option.opts, key=len)}`", f"`{variable}`", str(option.help)))
    return table(("option", "variable", "meaning"), rows)


def commands() -> str:
    """Return what each command does."""
    rows = ((f"`{name}`", command.get_short_help_str(limit=200)) for name, command in cli.commands.commands.items())
    return table(("command", "what it does"), rows)


def admin_routes() -> str:
    """Return the routes of the admin API, by what they are about."""
    rows = (
        (f"`{operation.method} {operation.path}`", operation.summary)
        for operation in admin_docs.operations(admin_docs.document())
    )
    return table(("route", "what it does"), rows)


def errors() -> str:
    """Return the error codes with their usual statuses."""
    return table(("code", "status"), ((f"`{code}`", str(status)) for code, status in STATUS.items()))


def prices() -> str:
    """Return the price table behind the spend cap."""
    return table(("what", "US dollars"), ((what, f"{micros / 1_000_000:.3f}") for what, micros in PRICES.items()))


def filters() -> str:
    """Return the filters of the journal."""
    return table(("filter", "what it selects"), ((f"`{name}`", says) for name, says in FILTERS.items()))


def findings() -> str:
    """Return the codes of the audit's findings with the rules that they tell to be broken."""
    return table(("code", "what a client does that has none"), ((f"`{code}`", rule) for code, rule in RULES.items()))


def fault_members() -> str:
    """Return what a rule may say."""
    return table(("member", "meaning"), ((f"`{name}`", says) for name, says in MEMBERS.items()))


def fault_phases() -> str:
    """Return the moments at which something can fail."""
    return table(("`phase`", "when"), ((f"`{name}`", says) for name, says in PHASES.items()))


def fault_effects() -> str:
    """Return what can fail, with an example and its phases; the first is the default."""
    rows = (
        (f"`{name}`", kind.says, f"`{orjson.dumps(kind.example).decode()}`", ", ".join(f"`{p}`" for p in kind.phases))
        for name, kind in EFFECTS.items()
    )
    return table(("effect", "what happens", "`do`", "phases, the default first"), rows)


def fault_recipes() -> str:
    """Return the recipes with their rules."""
    rows = (
        (f"`{name}`", recipe.says, "<br>".join(f"`{orjson.dumps(rule).decode()}`" for rule in recipe.rules))
        for name, recipe in RECIPES.items()
    )
    return table(("recipe", "what happens", "rules"), rows)


def behaviours() -> list[Behaviour]:
    """Return the fidelity ledger: the rows of fidelity.toml, and one for the default of each policy."""
    by_hand = tomllib.loads((ROOT / "docs/fidelity.toml").read_text())["behaviour"]
    ledger = [Behaviour(**row) for row in by_hand]
    for name, value, _, question, source in Policies().describe():
        kind, _, why = source.partition(": ")
        says = f"{question}: `{value}` (`{name}`)"
        test = "tests/test_policies.py::test_a_choice_does_what_it_says"
        ledger.append(Behaviour("Policies", says, kind, why or "not published", test))
    return ledger


def fidelity_counts() -> str:
    """Return how many behaviours are of which kind, in all and by area."""
    rows = behaviours()
    areas = dict.fromkeys(row.area for row in rows)
    counted = Counter((area, row.kind) for row in rows for area in (row.area, "all"))
    lines = ([area, *(str(counted[area, kind]) for kind in KINDS)] for area in ("all", *areas))
    return table(("area", *KINDS), lines)


def fidelity() -> str:
    """Return the fidelity ledger, a table for each area."""
    operations = Spec.load(shipped("openapi.json")).operations
    tables: dict[str, list[Iterable[str]]] = {}
    for row in behaviours():
        file, _, name = row.test.partition("::")
        asked = (f"`{operations[each].method} {operations[each].path}`" for each in row.operations)
        line = (row.kind, row.says, row.source, "<br>".join(asked), f"[{name}](../{file})")
        tables.setdefault(row.area, []).append(line)
    head = ("kind", "behaviour", "source", "operations", "test")
    return "".join(f"\n## {area}\n\n{table(head, lines)}" for area, lines in tables.items()) + "\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a Markdown table."""
    lines = [list(head)]
    lines += [["---"] * len(lines[0]), *(list(row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


TABLES: Mapping[str, Callable[[], str]] = {
    "magic-numbers": magic_numbers,
    "policies": policies,
    "options": options,
    "commands": commands,
    "admin-routes": admin_routes,
    "errors": errors,
    "prices": prices,
    "filters": filters,
    "findings": findings,
    "fault-members": fault_members,
    "fault-phases": fault_phases,
    "fault-effects": fault_effects,
    "fault-recipes": fault_recipes,
    "fidelity-counts": fidelity_counts,
    "fidelity": fidelity,
}


def pages() -> list[Path]:
    """Return the pages that hold tables."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def filled(text: str) -> str:
    """Return a page with each marked table as the code has it."""
    return MARKED.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[4]}", text)


if __name__ == "__main__":
    for page in pages():
        page.write_text(filled(page.read_text()))
