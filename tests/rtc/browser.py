"""Debian's Chromium as the tests drive it: one browser for all of them, a page a test, and nothing but loopback."""

import asyncio
import json
import re
import shutil
import threading
import wave
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from revdesk_mock.rtc.media import tone
from revdesk_mock.rtc.packets import RATE
from tests.rtc.driven import SOON, Failed
from tests.rtc.needs import need

if TYPE_CHECKING:
    from playwright.async_api import Browser, ConsoleMessage, Request
    from playwright.async_api import Page as PlaywrightPage

T = TypeVar("T")
HERE = Path(__file__).parent
MICROPHONE = 440.0  # what the fake microphone hears, in hertz
QUERY = re.compile(r"\?[^ ']+")  # of an address: long, and with a token
FLAGS = """
  --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
  --disable-component-update --disable-sync --use-fake-ui-for-media-stream --use-fake-device-for-media-stream
  --autoplay-policy=no-user-gesture-required --allow-loopback-in-peer-connection
""".split()
# What goes wrong comes back as the text that a person would read.
ATTEMPT = """async (given) => {{
  try {{ return {{ value: await {}(...given) }}; }}
  catch (error) {{ return {{ error: error.message }}; }}
}}"""


class _Files(SimpleHTTPRequestHandler):
    """Serves this folder: the pages, and what npm installed."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _serving() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(HERE))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _write_tone(path: Path) -> Path:
    """Write a second of a tone, without a seam when it is repeated."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(tone(MICROPHONE, 1.0).tobytes())
    return path


class Page:
    """A page in a browsing context of its own. What it complains of has to be excused, or fails the test."""

    def __init__(self, runner: asyncio.Runner, browser: "Browser") -> None:
        self._runner = runner
        self.complaints: list[str] = []
        self._page = self._run(self._begin(browser))

    async def _begin(self, browser: "Browser") -> "PlaywrightPage":
        page = await (await browser.new_context()).new_page()
        page.set_default_timeout(SOON * 1000)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._request)
        page.on("requestfailed", self._failed)
        return page

    def _run(self, doing: Awaitable[T]) -> T:
        async def do() -> T:
            async with asyncio.timeout(SOON):
                return await doing

        return self._runner.run(do())

    def _console(self, message: "ConsoleMessage") -> None:
        if message.type == "error":
            self.complaints.append(f"console: {QUERY.sub('?', message.text)}")

    def _request(self, request: "Request") -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:")):
            self.complaints.append(f"not on this machine: {request.url}")

    def _failed(self, request: "Request") -> None:
        self.complaints.append(f"failed: {request.method} {QUERY.sub('?', request.url)}: {request.failure}")

    def open(self, url: str, *scripts: str) -> None:
        """Load a page, and run scripts in it, given as text."""
        self._run(self._page.goto(url))
        for script in scripts:
            self._run(self._page.add_script_tag(content=script))

    def call(self, verb: str, *given: Any) -> Any:
        """Call a function of the page; see `Client`."""
        try:
            done = self._run(self._page.evaluate(ATTEMPT.format(verb), list(given)))
        except TimeoutError as error:
            raise AssertionError(f"{verb}{given} takes for ever, and there was\n{self._log()}") from error
        if "error" in done:
            raise Failed(done["error"])
        return done.get("value")

    def told(self, kind: str, **wanted: Any) -> Any:
        """Wait for an event; see `Client`."""
        finds = "([kind, wanted]) => found(kind, wanted)"
        try:
            handle = self._run(self._page.wait_for_function(finds, arg=[kind, wanted], polling=20))
        except Exception as error:
            raise AssertionError(f"no {kind} with {wanted}, but\n{self._log()}") from error
        return self._run(handle.json_value())

    def hears(self, *tones: float, but: float = 0) -> None:
        """Wait until all of these tones are heard, and another is not; see `Client`."""
        finds = """([tones, but]) => {
            const heard = peaks();
            const isHeard = (hertz) => heard.some((peak) => Math.abs(peak - hertz) < 5);
            return tones.every(isHeard) && !isHeard(but);
        }"""
        try:
            self._run(self._page.wait_for_function(finds, arg=[tones, but], polling=50))
        except Exception as error:
            raise AssertionError(f"not {tones} Hz without {but}, but {self.call('peaks')}\n{self._log()}") from error

    def hears_something(self) -> None:
        """Wait until there is sound."""
        self._run(self._page.wait_for_function("() => level() > -35", polling=20))

    def hears_nothing(self) -> None:
        """Wait until it is silent."""
        self._run(self._page.wait_for_function("() => level() < -60", polling=50))

    def excuse(self, part: str) -> None:
        """Take away complaints that were to come; raises AssertionError where there are none."""
        left = [complaint for complaint in self.complaints if part not in complaint]
        assert left != self.complaints, f"nobody complained of {part}, but of {self.complaints}"
        self.complaints = left

    def _log(self) -> str:
        return "\n".join([*map(json.dumps, self._run(self._page.evaluate("noted"))), *self.complaints])

    def close(self) -> None:
        """Close it, context and all."""
        self._run(self._page.context.close())


class Chromium:
    """The browser, where to load its pages from, and the event loop on which it is driven: between calls it rests."""

    def __init__(self, runner: asyncio.Runner, browser: "Browser", url: str) -> None:
        self._runner = runner
        self._browser = browser
        self._url = url
        self._pages: list[Page] = []

    def open(self, path: str, *scripts: str) -> Page:
        """Open a page of this folder, and run scripts in it, given as text."""
        page = Page(self._runner, self._browser)
        self._pages.append(page)
        page.open(f"{self._url}/pages/{path}", *scripts)
        return page

    def close_pages(self) -> list[str]:
        """Close all pages and return what they complain of."""
        pages, self._pages = self._pages, []
        for page in pages:
            page.close()
        return [complaint for page in pages for complaint in page.complaints]


@contextmanager
def chromium(folder: Path) -> Iterator[Chromium]:
    """Give a browser; skips where there is none. `folder` is for what its microphone hears."""
    path = shutil.which("chromium")
    need(path, "chromium (Debian's package of that name)")
    need(find_spec("playwright"), "playwright (a Python package)")
    playwright = import_module("playwright.async_api")
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={_write_tone(folder / 'microphone.wav')}"]
    with _serving() as url, asyncio.Runner() as runner:
        driver = runner.run(playwright.async_playwright().start())
        try:
            browser = runner.run(driver.chromium.launch(executable_path=path, args=flags))
            yield Chromium(runner, browser, url)
            runner.run(browser.close())
        finally:
            runner.run(driver.stop())
