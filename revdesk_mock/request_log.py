"""One line for each request: method, path, status, time and why it was refused; as coloured text or JSON."""

import asyncio
import os
import sys
from typing import TextIO

import orjson

from revdesk_mock.clock import iso
from revdesk_mock.journal import Entry

GREEN, YELLOW, RED, PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[0m"
REFUSED, FAILED = 400, 500


class RequestLog:
    """Writes journal entries to a stream, gathered: one write for all that one turn of the loop brought.

    `level`: debug adds the reasons, info shows every request, warning refusals, error failures.
    """

    def __init__(self, stream: TextIO, level: str, *, as_json: bool, colour: bool) -> None:
        self._stream = stream
        self._least = {"warning": REFUSED, "error": FAILED}.get(level, 0)
        self._reasons = level == "debug"
        self._write_line = self._as_json if as_json else self._as_text
        self._colour = colour
        self._lines: list[str] = []

    def add(self, entry: Entry) -> None:
        """Write a line for an entry, soon."""
        if entry.status < self._least:
            return
        self._lines.append(self._write_line(entry))
        if len(self._lines) == 1:
            try:
                asyncio.get_running_loop().call_soon(self.flush)
            except RuntimeError:
                self.flush()

    def flush(self) -> None:
        """Write what has been gathered."""
        text = "".join(self._lines)
        self._lines.clear()
        self._stream.write(text)
        self._stream.flush()

    def _as_text(self, entry: Entry) -> str:
        status = f"{entry.status}"
        if self._colour:
            status = f"{RED if entry.status >= FAILED else YELLOW if entry.status >= REFUSED else GREEN}{status}{PLAIN}"
        took = f"{entry.took * 1000:.1f} ms"
        why = f"  ({entry.fault})" if entry.fault else ""
        why += f"  {entry.code}: {entry.message}" if entry.code else ""
        line = f"{iso(entry.at)[11:23]} {entry.method:6} {entry.path} {status} {took}{_one_line(why)}\n"
        if self._reasons:
            for reason in entry.reasons:
                detail = f"{reason.rule} at {reason.where}: expected {reason.expected}, got {reason.got}"
                line += f"{'':13}{_one_line(detail)}\n"
        return line

    def _as_json(self, entry: Entry) -> str:
        line = {
            "at": iso(entry.at),
            "request_id": entry.request_id,
            "method": entry.method,
            "path": entry.path,
            "status": entry.status,
            "ms": round(entry.took * 1000, 2),
            "code": entry.code,
            "message": entry.message,
            "fault": entry.fault,
        }
        if self._reasons:
            line["reasons"] = [reason.rule for reason in entry.reasons]
        return orjson.dumps(line).decode() + "\n"


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def wants_colour(stream: TextIO) -> bool:
    """Whether a stream shows colours: FORCE_COLOR, then NO_COLOR, then whether it is a terminal."""
    if os.environ.get("FORCE_COLOR"):
        return True
    return not os.environ.get("NO_COLOR") and stream.isatty()


def standard(level: str, *, as_json: bool) -> RequestLog:
    """Return the log that writes to standard error."""
    return RequestLog(sys.stderr, level, as_json=as_json, colour=not as_json and wants_colour(sys.stderr))
