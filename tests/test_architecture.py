"""The house keeps its shape: imports go one way, libraries have one home, files stay small."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "revdesk_mock"
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))

# From the bottom to the top; a module imports from lower layers only. A name ending in a dot is a folder
# whose modules do not import one another.
LAYERS: list[set[str]] = [
    {"messages", "clock", "ids", "e164", "room_address", "rtc.packets", "public_url", "window", "held_file"},
    {"errors", "index", "inventory", "signing", "loa", "curl"},
    {"settings", "pages", "cnam", "rtc.events", "journal", "timeline", "json_file"},
    {"spec", "store", "json_body", "wording"},
    {"validation", "rtc.tokens"},
    {"faults.failures", "faults.fields", "faults.when", "faults.recipes"},
    {"faults.effects", "faults.matching"},
    {"faults.rules"},
    {"faults.control"},
    {"simulation.", "coverage", "journal_query", "har"},
    {"audit.finding", "audit.tries"},
    {"audit.retries", "audit.polling", "audit.bodies", "audit.tokens", "audit.report"},
    {"audit"},
    {"rtc.rooms", "rtc.telephone", "bill"},
    {"world", "dumps"},
    {"exchange", "opening", "trace"},
    {"legs", "handset", "state", "faults.outcome"},
    {"keys", "placement", "provisioning", "paperwork", "registrations", "vetting"},
    {"guests"},
    {"monitoring"},
    {"resources."},
    {"resources"},
    {"pipeline"},
    {"emulator"},
    {"rtc.switchboard"},
    {"rtc", "rtc.network", "rtc.versions"},
    {"rtc.media", "rtc.descriptions", "rtc.channels", "rtc.sockets"},
    {"rtc.patches"},
    {"rtc.peer", "rtc.mouth", "rtc.voices", "rtc.notes", "rtc.recorder", "rtc.tones"},
    {"rtc.acts", "rtc.mixdown", "rtc.party"},
    {"rtc.agent", "recordings"},
    {"rtc.espeak"},
    {"rtc.speech"},
    {"rtc.line", "rtc.casting", "request_body", "delivery"},
    {
        "rtc.livekit.messages",
        "rtc.livekit.data_packets",
        "rtc.livekit.joining",
        "rtc.livekit.transports",
        "rtc.livekit.wire",
    },
    {"rtc.livekit.negotiation", "rtc.livekit.subscriptions", "rtc.livekit.uploads"},
    {"rtc.livekit.session"},
    {"rtc.signalling", "rtc.livekit.door"},
    {"admin.guard"},
    {"admin.desk", "admin.metrics"},
    {"admin.rooms", "admin.calls", "admin.tokens", "admin.worlds", "admin.faults", "admin.journal"},
    {"admin.events", "admin.state", "admin.status", "admin.docs"},
    {"app"},
    {"server", "request_log", "commands.option_types", "commands.fault_options", "commands.client", "commands.child"},
    {"commands.options", "commands.running"},
    {"commands.banner", "commands.target"},
    {"commands.serving"},
    {"testing.scalars", "testing.samples", "testing.recorded", "testing.shapes"},
    {"testing.instances"},
    {"testing.edges", "testing.queries"},
    {"testing.fillings"},
    {"testing.strategies", "testing.wire", "testing.links"},
    {"testing.verdicts", "testing.upgrade"},
    {"testing.trial"},
    {"testing.check", "testing.machine"},
    {"testing.check_report", "testing.upgrade_report"},
    {"testing.admin_client", "testing.fence", "testing.orders", "testing.tally"},
    {"testing.parts."},
    {"testing.clients"},
    {"testing.handle"},
    {"testing.hookspecs", "testing.remote", "testing.stash"},
    {
        "testing.marker",
        "testing.serving",
        "testing.sharing",
        "testing.story",
        "testing.transport",
        "testing.complaints",
    },
    {"testing.consumer_coverage", "testing.lifetime", "testing.policy_runs", "testing.servers"},
    {"testing.plugin"},
    {"commands.lifecycle", "commands.snapshots", "commands.checks"},
    {"cli"},
    {"__main__"},
]

# The one home of each library; a name ending in a dot is a folder.
HOMES = {
    "starlette": {
        "admin.",
        "app",
        "delivery",
        "request_body",
        "rtc.signalling",
        "rtc.livekit.door",
        "rtc.livekit.wire",
    },
    "uvicorn": {"server"},
    "jsonschema": {"validation", "wording"},
    "jsonschema_rs": {"validation"},
    "jwt": {"signing"},
    "reportlab": {"loa"},
    "pytest": {"testing."},
    "httpx": {"testing."},
    "anyio": {"testing."},
    "click": {"cli", "commands."},
    "hypothesis": {"testing."},
    "aiortc": {"rtc.peer", "rtc.patches", "rtc.channels"},
    "aioice": {"rtc.patches", "rtc.sockets"},
    "espeakng_loader": {"rtc.espeak"},
    "livekit": {"rtc.livekit."},
    "google": {"rtc.livekit."},
    "ctypes": {"rtc.espeak"},
    "av": {"rtc.media", "rtc.speech", "rtc.mixdown"},
    "numpy": {"rtc.media", "rtc.speech", "rtc.mixdown"},
    "time": {"clock"},
    "random": {"ids"},
    "uuid": {"ids"},
    "secrets": {"ids"},
}
VAGUE = {"utils", "util", "helpers", "helper", "base", "common", "manager", "core", "misc"}
MOST_LINES = 300
MOST_LINES_OF_A_FUNCTION = 40


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(module: str) -> int:
    for number, layer in enumerate(LAYERS):
        if module in layer or (module.rpartition(".")[0] + "." in layer and "." in module):
            return number
    raise AssertionError(f"{module} has no place in the layers; give it one here")


def imports_of(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield (imported module, whether it is ours) for every import that runs."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            module = node.module or ""
            if module == "revdesk_mock" or (
                module.startswith("revdesk_mock.") and (PACKAGE / module[13:].replace(".", "/")).is_dir()
            ):
                names = [f"{module}.{alias.name}" for alias in node.names]
            else:
                names = [module]
        else:
            continue
        for name in names:
            ours = name.startswith("revdesk_mock")
            yield (name.removeprefix("revdesk_mock").removeprefix(".") if ours else name.partition(".")[0]), ours


@pytest.mark.parametrize("path", [path for path in MODULES if name_of(path)], ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    module = name_of(path)
    if module in {"admin", "commands", "simulation", "faults", "rtc", "rtc.livekit", "testing", "testing.parts"}:
        return  # says what the folder is, and imports nothing
    for imported, ours in imports_of(path):
        if not ours:
            continue
        if imported in {"", "__version__"}:
            continue
        assert layer_of(imported) < layer_of(module), f"{module} must not import {imported}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: name_of(path) or "revdesk_mock")
def test_each_library_has_one_home(path: Path) -> None:
    for imported, ours in imports_of(path):
        homes = HOMES.get(imported)
        at_home = homes is None or any(
            name_of(path) == home or (home.endswith(".") and name_of(path).startswith(home)) for home in homes
        )
        assert ours or at_home, f"{imported} belongs to {homes}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: name_of(path) or "revdesk_mock")
def test_files_are_small_say_what_they_are_and_have_a_name(path: Path) -> None:
    source = path.read_text()
    tree = ast.parse(source)
    assert len(source.splitlines()) <= MOST_LINES
    assert ast.get_docstring(tree), "a module opens with a sentence on what lives there"
    assert not VAGUE & set(path.relative_to(PACKAGE).with_suffix("").parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            length = node.end_lineno - node.lineno + 1
            assert length <= MOST_LINES_OF_A_FUNCTION, f"{node.name} has {length} lines"


def test_modules_hold_no_mutable_state() -> None:
    for path in MODULES:
        for node in ast.parse(path.read_text()).body:
            values = [node.value] if isinstance(node, ast.Assign | ast.AnnAssign) else []
            for value in values:
                annotated = isinstance(node, ast.AnnAssign) and "Mapping" in ast.unparse(node.annotation)
                constant = isinstance(node, ast.Assign) and all(
                    isinstance(target, ast.Name)
                    and (target.id.isupper() or target.id.startswith("_") or target.id == "__all__")
                    for target in node.targets
                )
                mutable = isinstance(value, ast.Dict | ast.List | ast.Set)
                assert not mutable or annotated or constant, f"{path}:{node.lineno} is mutable and lives in a module"


def run_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT).stdout


def test_importing_the_package_loads_no_framework() -> None:
    heavy = {"starlette", "uvicorn", "aiortc", "av", "numpy", "hypothesis", "pytest", "jsonschema", "jwt"}
    loaded = run_python("import sys, revdesk_mock; print(*sys.modules)").split()
    assert not heavy & set(loaded)


def test_starting_loads_nothing_that_a_letter_is_set_with() -> None:
    loaded = run_python("import sys, revdesk_mock.cli, revdesk_mock.server; print(*sys.modules)").split()
    assert "revdesk_mock.resources.enterprise_registration" in loaded
    assert not {"reportlab", "PIL", "revdesk_mock.loa"} & set(loaded)


def test_starting_loads_nothing_that_only_rooms_need() -> None:
    loaded = run_python("import sys, revdesk_mock.cli, revdesk_mock.server; print(*sys.modules)").split()
    assert not {"aiortc", "aioice", "av", "numpy"} & set(loaded)


REFUSED_JOINS = """
import http.client, json, sys
from revdesk_mock import Emulator
from revdesk_mock.server import Server

def ask(method, path, bearer, body=None):
    connection.request(method, path, body, {"Authorization": f"Bearer {bearer}"})
    answer = connection.getresponse()
    print(answer.status)
    return json.load(answer)

with Server(Emulator()) as server:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    agent = ask("GET", "/v1/agents", "revdesk_key")["data"][0]["id"]
    token = ask("POST", f"/v1/agents/{agent}/web-call", "revdesk_key")["data"]["token"]
    ask("POST", "/rtc/offer", "revdesk_key", "{}")
    ask("POST", "/rtc/offer", token, "v=0")
print(*sys.modules)
"""


def test_what_only_rooms_need_is_not_loaded_by_requests_and_joins_that_are_refused() -> None:
    *statuses, loaded = run_python(REFUSED_JOINS).splitlines()
    assert statuses == ["200", "200", "401", "400"]
    assert not {"aiortc", "aioice", "av", "numpy"} & set(loaded.split())


def test_the_public_names_are_these() -> None:
    names = run_python("import revdesk_mock as r; [getattr(r, n) for n in r.__all__]; print(*r.__all__)").split()
    assert names == "ApiError Emulator Policies Request Response Settings StartError World serve".split()


def test_contracts_are_compared_without_what_makes_requests_up() -> None:
    code = "import sys, revdesk_mock.testing.recorded, revdesk_mock.testing.upgrade_report; print(*sys.modules)"
    assert "hypothesis" not in run_python(code).split()


def test_what_is_for_test_suites_is_loaded_by_nothing_else() -> None:
    loaded = run_python("import sys, revdesk_mock.cli, revdesk_mock.server; print(*sys.modules)").split()
    assert not {"hypothesis", "revdesk_mock.testing"} & set(loaded)
