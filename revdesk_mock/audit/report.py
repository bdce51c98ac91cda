"""An audit as a report: text for people, JSON for programs, JUnit's XML for continuous integration."""

import re
from collections import Counter
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from revdesk_mock import timeline
from revdesk_mock.audit.finding import RULES, Finding
from revdesk_mock.clock import iso, iso_or_none
from revdesk_mock.journal import curl, summary
from revdesk_mock.messages import JSON

SHOWN = 5  # requests, and events, that a report names of one finding
UNWRITABLE = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")  # in XML 1.0


def describe(finding: Finding, base_url: str) -> dict[str, JSON]:
    """Return a finding as JSON: `count` is how many requests and events show it, of which the first few are told.

    Each request has a line for people, and a curl line.
    """
    requests = [
        {
            "request_id": entry.request_id,
            "at": iso(entry.at),
            "world_at": iso_or_none(entry.world_at),
            "operation": entry.operation,
            "says": summary(entry)[0],
            "curl": curl(entry, base_url),
        }
        for entry in finding.entries[:SHOWN]
    ]
    events = [timeline.describe(event) for event in finding.events[:SHOWN]]
    count = len(finding.entries) + len(finding.events)
    return {"code": finding.code, "message": finding.message, "count": count, "requests": requests, "events": events}


def text(findings: Sequence[Finding], base_url: str) -> str:
    """Write findings for people, each with its evidence; one line where there is none."""
    if not findings:
        return "The audit found nothing.\n"
    count = f"The audit found {len(findings)} thing{'' if len(findings) == 1 else 's'}.\n"
    return count + "".join(f"\n{_paragraph(finding, base_url)}" for finding in findings)


def _paragraph(finding: Finding, base_url: str) -> str:
    evidence = [f"{iso(entry.at)}  {entry.request_id}  {summary(entry)[0]}" for entry in finding.entries]
    evidence += [f"{iso(event.at)}  {event.says}" for event in finding.events]
    shown = evidence[:SHOWN]
    if len(evidence) > SHOWN:
        shown.append(f"and {len(evidence) - SHOWN} more")
    if finding.entries:
        shown.append(curl(finding.entries[0], base_url))
    lines = [f"{finding.code}: {finding.message}", *(f"  {line}" for line in shown)]
    return "".join(f"{line}\n" for line in lines)


def junit(findings: Sequence[Finding], base_url: str) -> str:
    """Write findings as JUnit's XML: a test for each rule, which fails where it was broken; properties count."""
    counts = Counter(finding.code for finding in findings)
    suite = Element("testsuite", name="revdesk audit", tests=str(len(RULES)), failures=str(len(counts)), errors="0")
    properties = SubElement(suite, "properties")
    for code in RULES:
        SubElement(properties, "property", name=f"revdesk.audit.{code}", value=str(counts[code]))
    for code, rule in RULES.items():
        case = SubElement(suite, "testcase", classname="revdesk.audit", name=f"{code}: {rule}", time="0")
        mine = [finding for finding in findings if finding.code == code]
        if mine:
            failure = SubElement(case, "failure", message=_writable(mine[0].message), type=code)
            failure.text = _writable("\n".join(_paragraph(finding, base_url) for finding in mine))
    return tostring(suite, encoding="unicode", xml_declaration=True)


def _writable(said: str) -> str:
    return UNWRITABLE.sub("?", said)
