"""Checks for a machine that runs them: GitHub's annotations, and JUnit's XML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from flopledger import printable
from flopledger.report.numbers import grouped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flopledger.checking.limits import Finding, Verdict

_FILE = re.compile(r"(.+\.\w+)(?::[\w.]+)?\Z")


def github(verdicts: Sequence[Verdict]) -> str:
    """Write a workflow command for each limit, which GitHub shows beside the file that the network is in.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    return "".join(f"{line}\n" for verdict in verdicts for line in _annotations(verdict))


def _annotations(verdict: Verdict) -> Iterator[str]:
    source = verdict.ledger.graph.reading.source
    file = _FILE.match(source)
    for finding in verdict.findings:
        level = "notice" if finding.passed else "error"
        title = f"title={_property(f'flopledger: {finding.key}')}"
        place = f"file={_property(file[1])},{title}" if file else title
        yield f"::{level} {place}::{_data(f'{source}: {_sentence(verdict, finding)}')}"


def _sentence(verdict: Verdict, finding: Finding) -> str:
    """Return a finding in words: the figure, its limit, and by how much it is over."""
    bound = "" if verdict.ledger.total.complete else "at least "
    text = f"{finding.key} is {bound}{grouped(finding.found)}, the limit is {grouped(int(finding.limit))}"
    before = "" if finding.before is None else f", it was {grouped(finding.before)}"
    return f"{text}{before} (convention {verdict.ledger.convention.name})"


def _data(text: str) -> str:
    """Escape the text of a workflow command, whose end is the end of its line."""
    return printable.line(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property of a workflow command, which a comma or a colon would end."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def junit(verdicts: Sequence[Verdict]) -> str:
    """Write a test case for each limit, as JUnit's XML, which most CI systems show."""
    suites = ET.Element("testsuites", name="flopledger check")
    for verdict in verdicts:
        failed = sum(not finding.passed for finding in verdict.findings)
        source = printable.line(verdict.ledger.graph.reading.source)
        suite = ET.SubElement(
            suites, "testsuite", name=source, tests=str(len(verdict.findings)), failures=str(failed)
        )
        for finding in verdict.findings:
            case = ET.SubElement(suite, "testcase", classname=source, name=finding.key)
            if not finding.passed:
                ET.SubElement(case, "failure", message=printable.line(_sentence(verdict, finding)))
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'
