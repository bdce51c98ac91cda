"""Which releases of the media libraries rooms know; imports neither, so that it can be asked before them."""

from importlib.metadata import version

FITTING = {"aiortc": "1.16.", "aioice": "0.13."}


def require_versions() -> None:
    """Raise ImportError unless the installed versions are those whose insides `patches` and `sockets` know."""
    for library, beginning in FITTING.items():
        if not (installed := version(library)).startswith(beginning):
            raise ImportError(
                f"rooms need {library} {beginning}x, and {installed} is installed; "
                f"run: pip install '{library}=={beginning}*'"
            )
