"""Verdicts on answers: whether the contract declares a status, and whether the body fits its schema."""

import orjson

from revdesk_mock import wording
from revdesk_mock.messages import JSON
from revdesk_mock.spec import Operation
from revdesk_mock.testing.wire import Answer
from revdesk_mock.validation import Schema, pointer

NAMED = 3  # failures of one body that are told


class Verdicts:
    """The contract's schemas of answers, compiled when they are first needed."""

    def __init__(self) -> None:
        self._schemas: dict[tuple[str, int], Schema] = {}

    def complaint(self, operation: Operation, answer: Answer) -> str | None:
        """Return in words how an answer breaks the contract of an operation; None where it does not."""
        if answer.status not in operation.responses:
            declared = ", ".join(map(str, operation.responses))
            return f"the status {answer.status} is not declared; declared are {declared}"
        kind = answer.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() != "application/json":
            return f"the content type of a {answer.status} must be application/json, and is {kind or 'not given'}"
        try:
            body: JSON = orjson.loads(answer.body)
        except orjson.JSONDecodeError as error:
            return f"the body of a {answer.status} is not JSON: {error}"
        return self._misfit(operation, answer.status, body)

    def _misfit(self, operation: Operation, status: int, body: JSON) -> str | None:
        schema = self._schemas.get((operation.id, status))
        if schema is None:
            schema = self._schemas[operation.id, status] = Schema(operation.responses[status])
        if schema.is_valid(body):
            return None
        told = [
            f"{pointer(path) or '/'} {message} (got {got})"
            for failure in schema.failures(body)
            for path, message, _, _, got in wording.describe(failure)
        ]
        more = f"; and {len(told) - NAMED} more" if len(told) > NAMED else ""
        return f"the body of a {status} does not fit its schema: {'; '.join(told[:NAMED])}{more}"
