"""Checks for a machine that runs them: GitHub's annotations, and JUnit's XML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from flopledger import printable
from flopledger.counting.ledger import OPERATIONS
from flopledger.report import notes
from flopledger.report.numbers import grouped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.checking.limits import Finding, Unread, Verdict

_FILE = re.compile(r"(.+\.\w+)(?::[\w.]+)?\Z")


def github(verdicts: Sequence[Verdict], unread: Sequence[Unread] = ()) -> str:
    """Write a workflow command for each limit, which GitHub shows beside the file that the network is in.

    So does one for each source that could not be checked.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    checked = [line for verdict in verdicts for line in _annotations(verdict)]
    refused = [_annotation("error", one.source, "not checked", str(one.error)) for one in unread]
    return "".join(f"{line}\n" for line in (*checked, *refused))


def _annotations(verdict: Verdict) -> Iterator[str]:
    source = verdict.ledger.graph.reading.source
    for finding in verdict.findings:
        level = "notice" if finding.passed else "error"
        yield _annotation(level, source, finding.key, f"{source}: {_sentence(verdict, finding)}")


def _annotation(level: str, source: str, what: str, text: str) -> str:
    file = _FILE.match(source)
    title = f"title={_property(f'flopledger: {what}')}"
    place = f"file={_property(file[1])},{title}" if file else title
    return f"::{level} {place}::{_data(text)}"


def _sentence(verdict: Verdict, finding: Finding) -> str:
    """Return a finding in words: the figure, its limit, and by how much it is over."""
    total = verdict.ledger.total
    found = grouped(finding.found)
    found = notes.bounded(found, total) if finding.key in OPERATIONS else found
    text = f"{finding.key} is {found}, the limit is {grouped(int(finding.limit))}"
    before = "" if finding.before is None else f", it was {grouped(finding.before)}"
    unknown = finding.open and not finding.over
    why = f": not known to be kept, {notes.without_formula(total)}" if unknown else ""
    return f"{text}{before}{why} (convention {verdict.ledger.convention.name})"


def _data(text: str) -> str:
    """Escape the text of a workflow command, whose end is the end of its line."""
    return printable.line(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property of a workflow command, which a comma or a colon would end."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def junit(verdicts: Sequence[Verdict], unread: Sequence[Unread] = ()) -> str:
    """Write a test case for each limit, as JUnit's XML, which most CI systems show.

    A failure is a figure above its limit; an error is one that is not known, or a source that can't be read.
    """
    suites = ET.Element("testsuites", name="flopledger check")
    for verdict in verdicts:
        cases = [(finding.key, _end(finding), _sentence(verdict, finding)) for finding in verdict.findings]
        _suite(suites, verdict.ledger.graph.reading.source, cases)
    for one in unread:
        _suite(suites, one.source, [("read", "error", str(one.error))])
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _end(finding: Finding) -> str:
    if finding.over:
        return "failure"
    return "" if finding.passed else "error"


def _suite(suites: ET.Element, source: str, cases: Sequence[tuple[str, str, str]]) -> None:
    """Add the cases of a source: the name of each, how it ended, and its sentence."""
    ends = [end for _, end, _ in cases]
    counts = {"tests": len(cases), "failures": ends.count("failure"), "errors": ends.count("error")}
    name = printable.line(source)
    suite = ET.SubElement(suites, "testsuite", {key: str(count) for key, count in counts.items()}, name=name)
    for key, end, sentence in cases:
        case = ET.SubElement(suite, "testcase", classname=name, name=key)
        if end:
            ET.SubElement(case, end, message=printable.line(sentence))
