"""An emulator on a port: in the foreground until a signal, or in a thread for a test suite."""

import asyncio
import errno
import gc
import logging
import signal
import socket
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self, TypeVar

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from revdesk_mock.admin.guard import Guard
from revdesk_mock.app import App
from revdesk_mock.delivery import TRANSPORT
from revdesk_mock.emulator import Emulator
from revdesk_mock.errors import AddressTaken
from revdesk_mock.ids import fingerprint
from revdesk_mock.rtc.network import LOOPBACK, Network

COLLECTION = 20_000  # allocations between two looks of the garbage collector
Result = TypeVar("Result")

GRACE = 1  # seconds for open requests when stopping


class _Uvicorn(uvicorn.Server):
    """uvicorn, which on its way out first lets waiting requests answer."""

    def __init__(self, config: uvicorn.Config, emulator: Emulator, app: App) -> None:
        super().__init__(config)
        self._emulator = emulator
        self._app = app
        self.loop: asyncio.AbstractEventLoop | None = None
        self.runs = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.runs.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._app.close()
        self._emulator.close()
        await super().shutdown(sockets)


class _Showing:
    """A mixin for uvicorn's protocols: the application finds the connection's transport in the state of a scope."""

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[misc] # the protocol comes next
        self.app_state = {**self.app_state, TRANSPORT: transport}


class Server:
    """Listens from the moment it is made; raises AddressTaken where it cannot.

    `admin_token` is what the admin API wants; raises StartError without one for another address than the loopback.
    """

    def __init__(
        self,
        emulator: Emulator,
        host: str = "127.0.0.1",
        port: int = 0,
        cors_origins: Sequence[str] = ("*",),
        network: Network = LOOPBACK,
        admin_token: str | None = None,
    ) -> None:
        self.emulator = emulator
        sha256 = None if admin_token is None else fingerprint(admin_token)
        guard = Guard(emulator.settings, local_only=is_local(host), token_sha256=sha256)
        self._socket = _listen(host, port)
        self.port: int = self._socket.getsockname()[1]
        app = App(emulator, cors_origins=cors_origins, guard=guard, network=network)
        config = uvicorn.Config(
            app,
            http=type("Protocol", (_Showing, AutoHTTPProtocol), {}),
            access_log=False,
            log_config=None,
            log_level="warning",
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
        self._uvicorn = _Uvicorn(config, emulator, app)
        self._thread: threading.Thread | None = None
        shown = f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 a comparison
        self.url = f"http://{shown}:{self.port}"

    def run(self) -> None:
        """Serve in the foreground until SIGTERM or SIGINT, and return."""
        for chatty in ("uvicorn.error", "aioice", "aiortc"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        # What was loaded to start stays, and records hold no cycles: the collector may look less often.
        gc.freeze()
        gc.set_threshold(COLLECTION, 20, 20)
        # uvicorn raises the signal again when it has stopped; by then it has been obeyed.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self._uvicorn.run(sockets=[self._socket])

    def start(self) -> Self:
        """Serve in a thread; connections are accepted when this returns."""
        self._thread = threading.Thread(target=self._uvicorn.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        self._uvicorn.runs.wait()
        return self

    def submit(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Run a coroutine in the loop that owns all worlds; it may be called in any thread, while the server runs.

        Worlds are not to be touched in another thread than the server's: their rooms live in its loop.
        """
        if self._uvicorn.loop is None:
            work.close()
            raise RuntimeError("the server does not run")
        return asyncio.run_coroutine_threadsafe(work, self._uvicorn.loop)

    def stop(self) -> None:
        """Stop serving and wait for the thread."""
        self._uvicorn.should_exit = True
        if self._thread is not None:
            self._thread.join()
        self._socket.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def is_local(host: str) -> bool:
    """Whether nobody but this machine can come to an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_news(record: logging.LogRecord) -> bool:
    """Leave out what uvicorn says of every WebSocket that was refused: the door says it, with the reason."""
    return "without completing handshake" not in record.getMessage()


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Listening already: a client that connects before the loop runs waits instead of failing.
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise AddressTaken(
                f"port {port} on {host} is taken; choose another with --port, or 0 for a free one"
            ) from error
        raise AddressTaken(f"cannot listen on {host} port {port}: {error}") from error
    return listener
