"""A client on another machine, which is a network namespace: it joins where rooms listen for it, and only there."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE, THERE = "10.77.0.1", "10.77.0.2"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)  # noqa: S607 # from the path


@pytest.fixture
def namespaces() -> Iterator[tuple[str, str]]:
    """Give two network namespaces with a cable between them, and nothing else in either."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("network namespaces need root and ip, of Debian's iproute2")
    here, there = (f"revdesk-{os.getpid()}-{side}" for side in ("here", "there"))
    try:
        try:
            ip("netns", "add", here)
            ip("netns", "add", there)
            ip("link", "add", "cable", "netns", here, "type", "veth", "peer", "name", "cable", "netns", there)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces can be made here: {error.stderr.decode().strip()}")
        for name, address in ((here, HERE), (there, THERE)):
            ip("-n", name, "address", "add", f"{address}/24", "dev", "cable")
            ip("-n", name, "link", "set", "cable", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield here, there
    finally:
        for name in (here, there):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)  # noqa: S607 # as above


@contextmanager
def running(namespace: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run Python in a namespace, and end it."""
    process = subprocess.Popen(
        ["ip", "netns", "exec", namespace, sys.executable, "-m", *arguments],  # noqa: S607 # as above
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def next_line(process: "subprocess.Popen[str]", beginning: str) -> str:
    """Return the next line of what a process prints that begins so."""
    assert process.stdout is not None
    return next(line for line in process.stdout if line.startswith(beginning))


@pytest.mark.parametrize("address", [HERE, "0.0.0.0"])
def test_a_client_on_another_machine_joins_where_rooms_listen_for_it(namespaces: tuple[str, str], address: str) -> None:
    here, there = namespaces
    options = ["--host", HERE, "--log-format", "json", "--media-host", address, "--media-ports", "50000-50003"]
    with running(here, "revdesk_mock", *options) as server:
        url = json.loads(next_line(server, "{"))["url"]
        with running(there, "tests.rtc.far_client", url) as client:
            assert json.loads(next_line(client, "{")) == {"hears": 700, "paths": [f"{THERE} {HERE}"]}
