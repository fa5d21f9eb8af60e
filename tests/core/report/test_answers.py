from __future__ import annotations

import pytest
from flopledger.errors import UsageError
from flopledger.report import ANSWER_FORMATS, answers
from flopledger.report.blocks import Heading


def test_every_format_is_written() -> None:
    written = {form: answers.render(form, [Heading("h")], lambda: {"a": 1}) for form in ANSWER_FORMATS}
    assert written == {"table": "h\n", "markdown": "### h\n", "json": '{"a": 1}\n'}


def test_a_format_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="no format is called 'markdwn'; did you mean 'markdown'"):
        answers.render("markdwn", [], dict)
