"""Refusals: the table of error codes with their statuses, and the vendor's envelope around them."""

from collections.abc import Mapping, Sequence

from revdesk_mock.messages import JSON, Reason

# Where a code's status is an open question, the caller passes the status that its policy names.
STATUS: Mapping[str, int] = {
    # conventions page
    "validation_error": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "idempotency_conflict": 409,
    "caller_id_not_verified": 422,
    "internal_error": 500,
    # named by the vendor's SDK
    "route_not_found": 404,
    "rate_limited": 429,
    # chosen here: the docs name no code
    "method_not_allowed": 405,
    "conflict": 409,
    "destination_not_allowed": 403,
    "spend_cap_exceeded": 403,
    "concurrency_limit_exceeded": 429,
    "call_rate_exceeded": 429,
    "carrier_rejected": 409,
    "not_implemented": 501,
    "unavailable": 503,
}


class ApiError(Exception):
    """A refusal that the client sees as the vendor's error envelope.

    `fields` maps dotted field names to messages; `reasons` says which rule refused and is shown
    beside the answer (`/_revdesk/explain`), never inside it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *reasons: Reason,
        status: int | None = None,
        fields: Mapping[str, str] | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reasons = reasons
        self.status = STATUS[code] if status is None else status
        self.fields = fields
        self.headers = tuple(headers)

    def envelope(self) -> JSON:
        """Return `{"error": {code, message, fields?}}` as the contract's `ErrorEnvelope` has it."""
        error: dict[str, JSON] = {"code": self.code, "message": self.message}
        if self.fields:
            error["fields"] = dict(self.fields)
        return {"error": error}


CODES: Mapping[int, str] = {
    400: "validation_error",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    422: "caller_id_not_verified",
}


def refused_by_policy(status: str, message: str, reason: Reason, fields: Mapping[str, str] | None = None) -> ApiError:
    """Build the refusal whose status a policy chose; the code is the one that goes with that status."""
    return ApiError(CODES[int(status)], message, reason, status=int(status), fields=fields)


class ContractViolation(Exception):
    """An answer of the emulator that breaks the contract: a bug of ours, never an API error."""

    def __init__(self, operation: str, pointer: str, detail: str) -> None:
        super().__init__(f"{operation} answered against its contract at {pointer or '/'}: {detail}")
        self.operation = operation
        self.pointer = pointer


class StartError(Exception):
    """Something given at start cannot be used; the message says what, where and what would do."""


class AddressTaken(StartError):
    """The address to listen on is in use, or is not this machine's."""


def invalid(field: str, message: str, *, where: str = "", rule: str, expected: str, got: JSON) -> ApiError:
    """Build the 400 for one field that the schema admits and a rule of the service does not."""
    reason = Reason(rule, where or f"body /{field.replace('.', '/')}", expected, repr(got))
    return ApiError("validation_error", f"{field}: {message}", reason, fields={field: message})


def unauthorized(message: str, rule: str, expected: str, got: str, where: str = "header Authorization") -> ApiError:
    """Build the 401; the pipeline adds the `WWW-Authenticate` challenge."""
    return ApiError("unauthorized", message, Reason(rule, where, expected, got))


def not_found(kind: str, key: str, where: str, status: str = "404") -> ApiError:
    """Build the refusal (404, by policy 403) of an id that this key does not have, another tenant's included."""
    reason = Reason("record.exists", where, f"the id of a {kind} of this key", key)
    return refused_by_policy(status, f"No {kind} with the id {key!r}.", reason)
