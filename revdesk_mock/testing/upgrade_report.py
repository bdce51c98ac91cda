"""Reports on what breaks under another contract, for people and for programs."""

from collections.abc import Iterator
from itertools import groupby

from revdesk_mock.messages import JSON
from revdesk_mock.testing.upgrade import Finding, Report


def text(report: Report) -> Iterator[str]:
    """Yield lines: the findings under their operations, each with a request that shows it."""
    for operation, findings in groupby(report.findings, key=lambda finding: finding.operation):
        yield f"{operation.method} {operation.path} ({operation.id})"
        for finding in findings:
            yield f"  {finding.where}: {finding.says} ({_counted(finding.requests)})"
            yield f"    {_example(finding)}"
    yield f"{_counted(report.read)} read: {_whole(report)}"


def as_json(report: Report) -> JSON:
    """Return the findings as data."""
    return {
        "read": report.read,
        "astray": report.astray,
        "findings": [
            {
                "operation": finding.operation.id,
                "method": finding.operation.method,
                "path": finding.operation.path,
                "where": finding.where,
                "says": finding.says,
                "requests": finding.requests,
                "example": {
                    "request": finding.example.name,
                    "pointer": finding.pointer,
                    "curl": finding.example.curl(),
                },
            }
            for finding in report.findings
        ],
    }


def _whole(report: Report) -> str:
    operations = len({finding.operation.id for finding in report.findings})
    found = f"{_counted(len(report.findings), 'finding')} in {_counted(operations, 'operation')}"
    breaks = found if report.findings else "nothing breaks"
    return f"{breaks}; {report.astray} led to no operation of the old contract" if report.astray else breaks


def _example(finding: Finding) -> str:
    place = f" at {finding.pointer}" if finding.pointer else ""
    return f"{finding.example.name}{place}: {finding.example.curl()}"


def _counted(number: int, what: str = "request") -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
