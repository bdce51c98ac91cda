"""LiveKit's Python SDK as the tests drive it: a program of its own, judged by what it writes."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from revdesk_mock.clock import stopwatch
from tests.rtc.driven import SOON, Failed


class Guest:
    """One process with one participant; the same verbs and events as those of a page."""

    def __init__(self, mode: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("sdk_client.py"), mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: Queue[str] = Queue()
        self._errors: list[str] = []
        self._noted: list[Any] = []
        self._readers = [threading.Thread(target=self._read), threading.Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()

    def call(self, verb: str, *given: Any) -> Any:
        """Give an order; see `Client`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": verb, "given": given}) + "\n")
        self._process.stdin.flush()
        done = self._wait("did", {}, f"{verb}{given} takes for ever")
        self._noted.remove(done)
        if "error" in done:
            raise Failed(done["error"])
        return done["value"]

    def told(self, kind: str, **wanted: Any) -> Any:
        """Wait for an event; see `Client`."""
        return self._wait(kind, wanted, f"no {kind} with {wanted}")

    def hears(self, hertz: float) -> None:
        """Wait for a tone; see `Client`."""
        self.call("hears", hertz)

    def hears_nothing(self) -> None:
        """Wait for silence; see `Client`."""
        self.call("is_quiet")

    def excuse(self, part: str) -> None:
        """Do nothing: it complains of nothing."""

    def close(self) -> None:
        """End the program, and do not mind how."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(SOON)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def _wait(self, kind: str, wanted: dict[str, Any], otherwise: str) -> Any:
        deadline = stopwatch() + SOON
        seen = 0
        while True:
            for event in self._noted[seen:]:
                if all(event.get(name) == value for name, value in {"kind": kind, **wanted}.items()):
                    return event
            seen = len(self._noted)
            try:
                self._noted.append(json.loads(self._lines.get(timeout=max(0.0, deadline - stopwatch()))))
            except Empty:
                log = "\n".join([*map(json.dumps, self._noted), *self._errors])
                raise AssertionError(f"{otherwise}, and there was\n{log}") from None

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self._errors.extend(self._process.stderr)
