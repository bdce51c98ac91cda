"""What becomes of a request when a fault is due: a wait, a refusal, or an answer that is spoiled or lost on its way."""

from dataclasses import replace

from revdesk_mock import timeline
from revdesk_mock.clock import iso
from revdesk_mock.errors import ApiError
from revdesk_mock.faults.failures import BODY, Breakage, Delay, Refusal, Spoiling, Storm
from revdesk_mock.journal import redact
from revdesk_mock.messages import Delivery, Reason, Response
from revdesk_mock.simulation import rate_limit
from revdesk_mock.simulation.faults import Due
from revdesk_mock.trace import Trace
from revdesk_mock.world import World

UNANSWERED = Response(0, (), b"")  # the request never came to an answer


class Lost(Exception):
    """The request or its answer is lost: `answer` is what its client would have got, and how it fails to."""

    def __init__(self, answer: Response) -> None:
        super().__init__("lost on order")
        self.answer = answer


async def fail(trace: Trace, phase: str, answer: Response = UNANSWERED) -> None:
    """Let what is due in a phase happen, and return where the request goes on.

    Raises ApiError where a refusal is due, and Lost where nothing more, or no answer, is to come.
    """
    world, operation = trace.world, trace.operation
    if world is None or operation is None:
        return
    for due in world.faults.due(phase, trace.request, operation, trace.control.failures):
        match due.failure.effect:
            case Delay(draw):
                milliseconds = draw(due.dice)
                _note(trace, world, due, f"{phase}: delay_ms {milliseconds}")
                await world.clock.sleep(milliseconds)
                world.run_due()
            case Refusal() as refusal:
                _note(trace, world, due, due.failure.says)
                raise _refused(due, refusal)
            case Storm():
                _note(trace, world, due, f"{phase}: rate_limit until {iso(due.until)}")
                raise _stormed(trace, world, due)
            case Breakage() as breakage:
                _note(trace, world, due, due.failure.says)
                raise Lost(_broken(world, answer, breakage))


def send(trace: Trace, answer: Response) -> Response:
    """Return an answer as what is due in its body leaves it."""
    world, operation = trace.world, trace.operation
    if world is None or operation is None or answer.delivery is not None:
        return answer
    for due in world.faults.due(BODY, trace.request, operation, trace.control.failures):
        _note(trace, world, due, due.failure.says)
        match due.failure.effect:
            case Breakage() as breakage:
                return _broken(world, answer, breakage)
            case Spoiling(how):
                answer = _spoiled(answer, how)
    return answer


def _note(trace: Trace, world: World, due: Due, says: str) -> None:
    trace.fault = f"{trace.fault}; {says}" if trace.fault else says
    about = f"{trace.request.method} {redact(trace.request.path, trace.bearer)}"
    detail = {"request_id": trace.request_id, "fault": due.source, "phase": due.failure.phase}
    world.timeline.add(timeline.FAULT, f"{says} ({due.source}) on {about}", **detail)


def _refused(due: Due, refusal: Refusal) -> ApiError:
    headers = [] if refusal.retry_after is None else [("retry-after", str(refusal.retry_after))]
    reason = Reason("fault", due.source, "no fault", due.failure.says)
    return ApiError(refusal.code, refusal.message, reason, status=refusal.status, headers=headers)


def _stormed(trace: Trace, world: World, due: Due) -> ApiError:
    limit = world.rate_limit(trace.credential).limit if trace.credential else None
    quota = rate_limit.Quota(limit or rate_limit.PRODUCTION, 0, due.until, world.clock.now())
    return rate_limit.refused(quota, Reason("fault", due.source, "no fault", due.failure.says))


def _broken(world: World, answer: Response, breakage: Breakage) -> Response:
    sent = None if breakage.sent is None else min(breakage.sent, max(0, len(answer.body) - 1))
    delivery = Delivery(breakage.how, world.clock.sleep, sent, breakage.pieces, breakage.milliseconds)
    return replace(answer, delivery=delivery)


def _spoiled(answer: Response, how: str) -> Response:
    if how == "wrong_content_type":
        others = (header for header in answer.headers if header[0] != "content-type")
        return replace(answer, headers=(("content-type", "text/html"), *others))
    half = len(answer.body) // 2
    return replace(answer, body=answer.body[:half] if how == "truncated" else answer.body.replace(b":", b"=", 1))
