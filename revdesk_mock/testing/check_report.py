"""Reports on a check: a table with the failures for people, JUnit's XML for machines."""

import re
from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree as ET

from revdesk_mock.testing.check import Outcome

NO_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what an XML document cannot hold


def row(outcome: Outcome) -> str:
    """Return one line on an operation."""
    operation = outcome.operation
    told = outcome.reason or _counted(outcome.answers)
    return f"{outcome.verdict:8}{operation.method:7}{operation.path:52}{told}"


def details(outcome: Outcome, url: str) -> Iterator[str]:
    """Yield lines on the failure of an operation: what was wrong, and the request as a curl line."""
    if outcome.failure is not None:
        yield f"{outcome.operation.id}: {outcome.failure.kind}"
        yield f"  {outcome.failure.complaint}"
        yield f"  {outcome.failure.request.curl(url)}"


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return a line on the whole."""
    verdicts = [outcome.verdict for outcome in outcomes]
    failed, passed, skipped = (verdicts.count(verdict) for verdict in ("fail", "pass", "skipped"))
    requests = sum(sum(outcome.answers.values()) for outcome in outcomes)
    return f"{failed} failed, {passed} passed, {skipped} skipped; {requests} requests"


def junit(outcomes: Sequence[Outcome], url: str) -> bytes:
    """Return the outcomes as JUnit's XML: a test case for each operation."""
    verdicts = [outcome.verdict for outcome in outcomes]
    counts = {"tests": len(verdicts), "failures": verdicts.count("fail"), "skipped": verdicts.count("skipped")}
    suite = ET.Element("testsuite", {"name": f"revdesk-mock check {url}", **_texts(counts)})
    for outcome in outcomes:
        operation = outcome.operation
        case = ET.SubElement(suite, "testcase", {"classname": operation.tag, "name": operation.id})
        if outcome.verdict == "skipped":
            ET.SubElement(case, "skipped", {"message": outcome.reason})
        if outcome.failure is not None:
            failure = ET.SubElement(case, "failure", {"message": _held(outcome.failure.complaint)})
            failure.text = _held("\n".join(details(outcome, url)))
    root = ET.Element("testsuites", _texts(counts))
    root.append(suite)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _counted(answers: Mapping[int, int]) -> str:
    return ", ".join(f"{status} x{count}" for status, count in sorted(answers.items()))


def _texts(counts: Mapping[str, int]) -> dict[str, str]:
    return {name: str(count) for name, count in counts.items()}


def _held(text: str) -> str:
    """Write what an XML document cannot hold as JSON does."""
    return NO_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
