"""Commands that begin and end servers: real processes, their output, their exit codes and what they leave behind."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from revdesk_mock import cli
from revdesk_mock.clock import wait_until
from revdesk_mock.commands import client, lifecycle
from revdesk_mock.commands.options import TEST_KEY
from revdesk_mock.commands.running import Records, Running, became_ready
from tests.commands.shell import COMMAND, ROOT, environment, run

Background = Callable[..., subprocess.CompletedProcess[str]]
ASK = """
import os, urllib.request
request = urllib.request.Request(os.environ["REVDESK_API_URL"] + "/v1/me")
request.add_header("Authorization", "Bearer " + os.environ["REVDESK_API_KEY"])
print(os.environ["REVDESK_API_URL"], urllib.request.urlopen(request, timeout=10).status)
"""

# Whoever runs the tests may have been told to ignore a signal, as nohup does, and what it starts inherits that.
OBEYING = """
import os, signal, sys
for number in (signal.SIGHUP, signal.SIGINT):
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""

HEARS = """
import signal, sys
def hear(*_):
    print("heard")
    sys.exit(5)
signal.signal(int(sys.argv[1]), hear)
print("up", flush=True)
signal.pause()
"""

FIRST_HEARD = """
import os, signal
os.setsid()
both = {signal.SIGINT, signal.SIGUSR1}
signal.pthread_sigmask(signal.SIG_BLOCK, both)
print("up", flush=True)
input()
os.kill(os.getppid(), signal.SIGUSR1)
print(signal.Signals(signal.sigwait(both)).name)
"""


@pytest.fixture
def background(tmp_path: Path) -> Iterator[Background]:
    """Give `run` with a state folder of its own; what runs there ends with the test."""
    folder = tmp_path / "state"

    def run_there(*arguments: str, cwd: Path = tmp_path, **variables: str) -> subprocess.CompletedProcess[str]:
        return run(*arguments, cwd=cwd, REVDESK_MOCK_STATE_DIR=str(folder), **variables)

    yield run_there
    for server in Records(folder).all():
        os.kill(server.pid, signal.SIGKILL)


def started(background: Background, *arguments: str, **variables: str) -> str:
    """Begin a server in the background at a free port; return its URL."""
    ended = background("start", "--port", "0", *arguments, **variables)
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.strip()


def the_server(folder: Path) -> Running:
    (server,) = Records(folder / "state").all()
    return server


def executing(*command: str) -> subprocess.Popen[str]:
    """Run a command under exec, and return once the command has printed its first line."""
    obeying = [sys.executable, "-c", OBEYING, *COMMAND[1:]]
    process = subprocess.Popen(
        [*obeying, "exec", "--", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    return process


# exec


def test_exec_runs_a_command_against_a_server_of_its_own() -> None:
    ended = run("exec", "--", sys.executable, "-c", ASK)
    url, status = ended.stdout.split()
    assert (ended.returncode, status) == (0, "200")
    assert f"address  {url}\n" in ended.stderr
    with pytest.raises(OSError, match="does not answer"):
        client.ask(url, "GET", "/ready")


def test_the_log_of_exec_tells_refusals_on_standard_error() -> None:
    ended = run("exec", "--api-key", "other", "--", sys.executable, "-c", ASK.replace("Bearer ", "Bearer x"))
    assert ended.stdout == ""
    assert "GET    /v1/me 401" in ended.stderr


@pytest.mark.parametrize(
    ("script", "code"), [("exit 7", 7), ("kill -KILL $$", 137), ("exit 0", 0)], ids=["fails", "is killed", "succeeds"]
)
def test_exec_exits_as_its_command_does(script: str, code: int) -> None:
    assert run("exec", "--", "sh", "-c", script).returncode == code


def test_a_command_that_cannot_be_run_is_one_clear_line_and_a_shells_exit_code(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("no program")
    absent, plain = (run("exec", "--", name) for name in ("no-such-program", str(tmp_path / "plain")))
    assert (absent.returncode, plain.returncode) == (127, 126)
    assert absent.stderr.endswith("cannot run no-such-program: No such file or directory\n")
    assert plain.stderr.endswith("plain: Permission denied\n")


def test_exec_exports_a_key_that_is_let_in_and_never_the_callers_own() -> None:
    script = ("sh", "-c", "echo $REVDESK_API_KEY")
    assert run("exec", *script, REVDESK_API_KEY="revdesk_of_a_customer").stdout == f"{TEST_KEY}\n"
    assert run("exec", "--api-key", "mine", "--api-key", "second", "--", *script).stdout == "mine\n"
    assert run("exec", *script, REVDESK_MOCK_API_KEY="by_variable").stdout == "by_variable\n"


def test_exec_hands_on_the_admin_token() -> None:
    script = ("sh", "-c", "echo $REVDESK_MOCK_ADMIN_TOKEN")
    assert run("exec", "--admin-token", "of_the_test", "--", *script).stdout == "of_the_test\n"
    assert run("exec", *script).stdout == "\n"
    made = run("exec", "--host", "0.0.0.0", *script)
    assert made.stdout.startswith("revdesk_admin_")
    assert made.stdout.strip() in made.stderr


def test_options_after_the_command_are_its_own() -> None:
    assert run("exec", "--seed", "1", "echo", "--port", "x", "--help").stdout == "--port x --help\n"


def test_exec_inside_exec_is_at_peace_with_the_variables_of_the_outer_one() -> None:
    assert run("exec", "--", *COMMAND, "exec", "--", "echo", "inner").stdout == "inner\n"


def test_exec_writes_the_export_after_its_command_ended(tmp_path: Path) -> None:
    export = tmp_path / "worlds.json"
    assert run("exec", "--export-on-exit", str(export), "--", sys.executable, "-c", ASK).returncode == 0
    assert len(json.loads(export.read_text())["worlds"]) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_to_exec_reaches_its_command(number: signal.Signals) -> None:
    process = executing(sys.executable, "-c", HEARS, str(number.value))
    process.send_signal(number)
    printed, _ = process.communicate(timeout=20)
    assert (printed, process.returncode) == ("heard\n", 5)


def test_a_command_that_dies_of_a_signal_gives_its_number() -> None:
    process = executing("sh", "-c", "echo up; exec sleep 600")
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM


def test_what_exec_is_told_to_ignore_the_command_ignores() -> None:
    script = 'trap "" HUP; exec "$@"'
    inner = "echo up; kill -HUP $PPID; kill -HUP $$; echo alive"
    ended = subprocess.run(
        ["sh", "-c", script, "-", *COMMAND, "exec", "--", "sh", "-c", inner],  # noqa: S607 from the path
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
        timeout=30,
    )
    assert (ended.returncode, ended.stdout) == (0, "up\nalive\n")


def at_a_terminal(command: list[str], *exchange: tuple[str, bytes]) -> tuple[str, int]:
    """Run exec at a terminal; type each text once the one beside it was printed. Return what followed, and the code."""
    spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    terminal = subprocess.Popen(
        [sys.executable, "-c", spawn, *COMMAND, "exec", "--", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    try:
        assert terminal.stdin
        assert terminal.stdout
        for printed, typed in exchange:
            while printed not in terminal.stdout.readline().decode():
                assert terminal.poll() is None
            terminal.stdin.write(typed)
            terminal.stdin.flush()
        rest, _ = terminal.communicate(timeout=20)
        return rest.decode(), terminal.returncode
    finally:
        terminal.kill()


def test_ctrl_c_at_a_terminal_ends_command_and_server() -> None:
    assert at_a_terminal(["sh", "-c", "echo up; exec sleep 600"], ("up", b"\x03"))[1] == 128 + signal.SIGINT


def test_ctrl_c_at_a_terminal_is_not_passed_on_for_the_terminal_tells_all() -> None:
    # In a session of its own, the command hears what exec passes on and not what is typed.
    rest, code = at_a_terminal([sys.executable, "-c", FIRST_HEARD], ("up", b"\x03then\n"))
    assert ("SIGUSR1" in rest, code) == (True, 0)


def test_exec_and_start_take_every_option_of_serve() -> None:
    names = {option.name for option in cli.serve.params}
    assert {option.name for option in lifecycle.exec_.params} == names | {"command"}
    assert {option.name for option in lifecycle.start.params} == names | {"state_dir"}


REFUSED = {
    "unknown option": (["exec", "--clok", "frozen", "--", "true"], {}, 2, "--clock"),
    "no command": (["exec"], {}, 2, "COMMAND"),
    "unknown variable": (["exec", "true"], {"REVDESK_MOCK_SEEED": "1"}, 2, "did you mean 'REVDESK_MOCK_SEED'?"),
    "unknown variable of start": (["start"], {"REVDESK_MOCK_STATE": "x"}, 2, "did you mean 'REVDESK_MOCK_STATE_DIR'?"),
    "fixture that is none": (["start", "--port", "0", "--data", str(ROOT / "openapi.json")], {}, 4, "openapi.json: "),
    "bad policy": (["start", "--port", "0", "--policy", "x=1"], {}, 2, "unknown policy 'x'"),
    "unknown format": (["env", "--format", "fish"], {}, 2, "'fish'"),
    "format that cannot unset": (["env", "--format", "dotenv", "--unset"], {}, 2, "sh and powershell can"),
    "nothing to point at": (["env"], {}, 3, "revdesk-mock start begins one"),
    "nothing at that port": (["env", "--port", "4"], {}, 3, "in the background at port 4"),
    "unknown verb": (["snapshot", "sav"], {}, 2, "did you mean 'save'?"),
    "no server to keep": (["snapshot", "save", "x.json"], {}, 3, "no server runs"),
    "address that is none": (["wait", "--url", "8473"], {}, 2, "begin with http://"),
    "nobody to wait for": (
        ["wait", "--port", "1", "--timeout", "0"],
        {},
        1,
        "http://127.0.0.1:1 is not ready after 0 s",
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_done_is_one_clear_line(
    case: tuple[list[str], dict[str, str], int, str], background: Background
) -> None:
    arguments, variables, code, words = case
    ended = background(*arguments, **variables)
    assert ended.returncode == code
    assert len(ended.stderr.splitlines()) == 1
    assert words in ended.stderr
    assert ended.stdout == ""


# in the background


def test_a_server_in_the_background_is_ready_is_told_about_and_ends(background: Background, tmp_path: Path) -> None:
    url = started(background)
    assert client.is_ready(url)
    told = background("status")
    assert told.returncode == 0
    assert told.stdout.startswith(f"{url}  ready\n  process  {the_server(tmp_path).pid}\n")
    assert "  uptime   " in told.stdout
    assert background("stop").stdout == f"stopped {url}\n"
    assert not client.is_ready(url)
    gone = background("status")
    assert (gone.returncode, gone.stderr) == (3, "no server runs in the background\n")
    assert background("stop").returncode == 0


def test_the_settings_of_a_server_in_the_background_come_from_flags_variables_and_file(
    background: Background, tmp_path: Path
) -> None:
    (tmp_path / "revdesk-mock.toml").write_text('seed = "of the file"\nport = 1\n')
    started(background, "--export-on-exit", "worlds.json", REVDESK_MOCK_CLOCK="frozen")
    server = the_server(tmp_path)
    log = Path(server.log).read_text()
    assert "seed     of the file\n" in log
    assert "clock    frozen\n" in log
    assert background("stop", "--port", str(server.port)).returncode == 0
    assert (tmp_path / "worlds.json").exists()


def test_a_port_is_taken_once(background: Background) -> None:
    url = started(background)
    again = background("start", "--port", url.rpartition(":")[2])
    assert again.returncode == 3
    assert f"{url} runs already" in again.stderr


def test_of_several_servers_one_is_chosen_by_its_port(background: Background) -> None:
    first, second = started(background), started(background)
    ports = [url.rpartition(":")[2] for url in (first, second)]
    unclear = background("stop")
    assert unclear.returncode == 2
    assert ", ".join(sorted(ports, key=int)) in unclear.stderr
    assert background("stop", "--port", ports[0]).stdout == f"stopped {first}\n"
    assert background("status").stdout.startswith(f"{second}  ready\n")


def test_the_record_of_a_server_that_was_killed_is_stale(background: Background, tmp_path: Path) -> None:
    started(background)
    server = the_server(tmp_path)
    os.kill(server.pid, signal.SIGKILL)
    assert wait_until(lambda: not Records(tmp_path / "state").all(), 10)
    assert background("status").returncode == 3
    assert [path.suffix for path in (tmp_path / "state").iterdir()] == [".log"]


def test_a_stale_record_ends_nobody_who_has_its_process_id_by_now(background: Background, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(0o700)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        stale = Running("http://127.0.0.1:1", 1, bystander.pid, "0.1.0", 0, "1.log", own_keys=False)
        (tmp_path / "state/1.json").write_text(json.dumps(stale._asdict()))
        assert background("stop", "--port", "1").stdout == "no server runs in the background at port 1\n"
        assert bystander.poll() is None
        bystander.communicate(b"\n")
    assert bystander.returncode == 0
    assert not (tmp_path / "state/1.json").exists()


def test_what_a_server_leaves_on_the_disk_is_its_owners_and_holds_no_key(
    background: Background, tmp_path: Path
) -> None:
    url = started(background, "--log-level", "debug", REVDESK_MOCK_API_KEY="secret_key_abc")
    assert client.ask(url, "GET", "/v1/me", headers={"Authorization": "Bearer secret_key_abc"}).status == 200
    folder = tmp_path / "state"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert sorted(path.suffix for path in files) == [".json", ".log"]
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "secret_key_abc" not in path.read_text()
    assert b"secret_key_abc" not in Path(f"/proc/{the_server(tmp_path).pid}/cmdline").read_bytes()


def test_a_state_folder_that_others_can_change_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    ended = run("status", "--state-dir", str(tmp_path / "shared"))
    assert ended.returncode == 4
    assert "choose another with --state-dir" in ended.stderr


def test_the_state_folder_is_in_the_users_runtime_folder(tmp_path: Path) -> None:
    assert run("status", XDG_RUNTIME_DIR=str(tmp_path)).returncode == 3
    assert (tmp_path / "revdesk-mock").is_dir()


def test_a_server_that_ends_before_it_is_ready_is_not_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        assert not became_ready(process.pid, "http://127.0.0.1:1", 600)


def test_wait_ends_when_a_server_becomes_ready(background: Background) -> None:
    # A port that is free once this server has left it.
    url = started(background)
    background("stop")
    port = url.rpartition(":")[2]
    with subprocess.Popen([*COMMAND, "wait", "--port", port], stdout=subprocess.PIPE, env=environment()) as waiting:
        background("start", "--port", port)
        assert waiting.communicate(timeout=30)[0].decode() == f"ready: {url}\n"
    assert waiting.returncode == 0
    assert run("wait", "--timeout", "9", REVDESK_MOCK_URL=url).stdout == f"ready: {url}\n"


# env


def test_bash_takes_the_variables_and_takes_them_back(background: Background) -> None:
    url = started(background)
    set_all, unset_all = background("env"), background("env", "--unset")
    shown = subprocess.run(
        ["bash", "-c", f"{set_all.stdout}env; echo ==; {unset_all.stdout}env"],  # noqa: S607 from the path
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
        check=True,
    ).stdout
    before, _, after = shown.partition("==")
    for line in (f"REVDESK_API_URL={url}", f"REVDESK_API_KEY={TEST_KEY}", f"REVDESK_MOCK_URL={url}"):
        assert line in before.splitlines()
    assert "REVDESK" not in after
    assert set_all.stderr == ""


FORMATS = {
    "sh": "export REVDESK_API_KEY='it'\"'\"'s'",
    "dotenv": "REVDESK_API_KEY=it's",
    "github": "REVDESK_API_KEY=it's",
    "powershell": "$env:REVDESK_API_KEY = 'it''s'",
}


@pytest.mark.parametrize(("form", "line"), FORMATS.items())
def test_env_speaks_to_other_readers_too(form: str, line: str) -> None:
    assert FORMATS.keys() == lifecycle.FORMATS.keys()
    ended = run("env", "--url", "http://mock.example:1", "--api-key", "it's", "--format", form)
    assert ended.stdout.splitlines()[1] == line
    assert "http://mock.example:1" in ended.stdout


def test_env_exports_no_key_that_would_not_be_let_in(background: Background) -> None:
    started(background, "--api-key", "mine")
    ended = background("env")
    assert "REVDESK_API_KEY" not in ended.stdout
    assert "REVDESK_API_KEY" in ended.stderr
    assert "export REVDESK_API_KEY=mine\n" in background("env", "--api-key", "mine").stdout


# snapshot


def test_a_world_is_kept_as_a_file_and_put_back(background: Background, tmp_path: Path) -> None:
    url = started(background, "--clock", "frozen")
    headers = {"Authorization": "Bearer mine"}
    file = tmp_path / "world.json"
    assert background("snapshot", "save", str(file), REVDESK_API_KEY="mine").returncode == 0
    saved = file.read_text()
    assert json.loads(saved) == json.loads(client.ask(url, "GET", "/_revdesk/state", headers=headers).body)
    client.ask(url, "POST", "/_revdesk/clock", b'{"advance_seconds": 60}', headers)
    assert background("snapshot", "restore", str(file), "--key", "mine").returncode == 0
    background("snapshot", "save", str(file), "--key", "mine", "--url", url)
    assert file.read_text() == saved
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["world.json"]
    assert started(background, "--data", str(file)) != url, "it is a fixture"


def test_a_snapshot_that_cannot_be_is_refused_in_the_servers_words(background: Background, tmp_path: Path) -> None:
    url = started(background)
    (tmp_path / "broken.json").write_text('{"format": 2, "records": {}}')
    refused = background("snapshot", "restore", "broken.json")
    assert (refused.returncode, refused.stderr) == (
        1,
        f"revdesk-mock: {url} refuses (400): /format: 1 was expected\n",
    )
    assert background("snapshot", "restore", "nowhere.json").returncode == 4
    assert background("snapshot", "save", "no/where.json").returncode == 4
    assert background("snapshot", "save", "x.json", "--url", "http://127.0.0.1:1").returncode == 1
