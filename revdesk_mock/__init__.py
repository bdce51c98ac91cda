"""revdesk-mock: a local emulator of the RevDesk v1 voice API."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from revdesk_mock.emulator import Emulator
    from revdesk_mock.errors import ApiError, StartError
    from revdesk_mock.messages import Request, Response
    from revdesk_mock.settings import Policies, Settings
    from revdesk_mock.testing.serving import serve
    from revdesk_mock.world import World

__version__ = "0.1.0"

_HOMES = {
    "ApiError": "errors",
    "Emulator": "emulator",
    "Policies": "settings",
    "Request": "messages",
    "Response": "messages",
    "Settings": "settings",
    "StartError": "errors",
    "World": "world",
    "serve": "testing.serving",
}
__all__ = ["ApiError", "Emulator", "Policies", "Request", "Response", "Settings", "StartError", "World", "serve"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: importing the package costs a test suite nothing.
    if name not in _HOMES:
        raise AttributeError(f"module 'revdesk_mock' has no attribute {name!r}")
    return getattr(import_module(f"revdesk_mock.{_HOMES[name]}"), name)
