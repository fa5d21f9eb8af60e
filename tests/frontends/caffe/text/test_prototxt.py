"""Protobuf text, read without a schema."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from flopledger.errors import SourceError
from flopledger_caffe.text import prototxt
from flopledger_caffe.text.message import Form

if TYPE_CHECKING:
    from pathlib import Path


def keys(text: str) -> list[str]:
    return [field.key for field in prototxt.parse(text).fields]


def test_fields_keep_their_order_and_repeats() -> None:
    assert keys('b: 1 a: 2 b: 3 c { } a: "x"') == ["b", "a", "b", "c", "a"]
    assert prototxt.parse("b: 1 a: 2 b: 3").numbers("b") == (1, 3)


def test_identifiers_stay_apart_from_strings() -> None:
    root = prototxt.parse('type: CONVOLUTION type: "CONVOLUTION"')
    assert [field.form for field in root.fields] == [Form.WORD, Form.STRING]


@pytest.mark.parametrize(
    "text", ["m { a: 1 }", "m: { a: 1 }", "m < a: 1 >", "m: < a: 1; >", "m{a:1,}", "m { a: [1] }"]
)
def test_messages_have_several_spellings(text: str) -> None:
    assert prototxt.parse(text).message("m").number("a", 0) == 1


def test_lists_hold_numbers_and_messages() -> None:
    root = prototxt.parse("k: [3, 5] k: 7 e: [] s: [{ dim: 1 }, < dim: 2 dim: 3 >]; t: 1")
    assert root.numbers("k") == (3, 5, 7)
    assert root.numbers("e") == ()
    assert [message.numbers("dim") for message in root.messages("s")] == [(1,), (2, 3)]
    assert root.number("t", 0) == 1


def test_adjacent_strings_are_one_and_escapes_are_read() -> None:
    root = prototxt.parse("""a: "b" 'c'\n "d"   e: "q\\"\\n\\x41\\101\\\\" """)
    assert root.text("a") == "bcd"
    assert root.text("e") == 'q"\nAA\\'


def test_escaped_bytes_are_utf_8_as_protobuf_writes_names() -> None:
    # text_format.MessageToString(StringValue(value="卷积")) of protobuf, with as_utf8=False.
    root = prototxt.parse(
        r"""a: "\345\215\267\347\247\257" b: "\xe5\x8d" '\xb7 卷' c: "\233é\345" d: "\501\7" """
    )
    assert root.text("a") == "卷积"
    assert root.text("b") == "卷 卷"
    assert root.text("c") == "\x9béå"
    assert root.text("d") == "A\x07"


def test_comments_marks_and_byte_order_mark_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\xef\xbb\xbf# one\na: 1; # two { \n b: 2, c: 3\r\n")
    root = prototxt.load(path)
    assert [root.number(key, 0) for key in "abc"] == [1, 2, 3]


def test_extensions_are_kept() -> None:
    assert keys("[a.b_c] { d: 1 } e: 2") == ["[a.b_c]", "e"]


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("-7", -7), ("0x1F", 31), ("-0X1f", -31), ("017", 15), ("0", 0), ("+3", 3)]
)
def test_whole_numbers(text: str, value: int) -> None:
    assert prototxt.parse(f"a: {text}").number("a", 0, (-100, 100)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("3.", 3),
        (".5", 0.5),
        ("0.5f", 0.5),
        ("-2.5E+1", -25),
        ("2F", 2),
        ("4", 4),
        ("0x10", 16),
    ],
)
def test_numbers_with_fractions(text: str, value: float) -> None:
    assert prototxt.parse(f"a: {text}").real("a", 0) == value


@pytest.mark.parametrize("text", ["True", "true", "t", "1"])
def test_true_has_four_spellings(text: str) -> None:
    assert prototxt.parse(f"a: {text}").flag("a", default=False) is True


@pytest.mark.parametrize("text", ["False", "false", "f", "0"])
def test_false_has_four_spellings(text: str) -> None:
    assert prototxt.parse(f"a: {text}").flag("a", default=True) is False


def test_an_enumeration_is_read_by_word_or_number() -> None:
    words = {"MAX": 0, "AVE": 1}
    assert prototxt.parse("a: AVE").word("a", words, "MAX") == "AVE"
    assert prototxt.parse("a: 1").word("a", words, "MAX") == "AVE"
    assert prototxt.parse("b: 1").word("a", words, "MAX") == "MAX"
    with pytest.raises(SourceError, match=r"x:1:4: a is AVG, expected one of MAX, AVE; did you mean 'AVE'\?"):
        prototxt.parse("a: AVG", "x").word("a", words, "MAX")


@pytest.mark.parametrize(
    ("text", "getter", "message"),
    [
        ('a: "1"', "number", 'x:1:4: a is "1", expected a whole number'),
        ("a: 3.0", "number", "a is 3.0, expected a whole number"),
        ("a: -1", "number", "a is -1, expected a whole number from 0 to 4294967295"),
        ("a: 4294967296", "number", "from 0 to 4294967295"),
        ("a: " + "9" * 5000, "number", r"a is 9{37}\.\.\., expected"),
        ("a { }", "number", r"a is \{ ... \}, expected a whole number"),
        ("a: 1_000", "number", "a is 1_000, expected a whole number"),
        ("\n  a: 1 a: 2", "number", "x:2:11: a is given twice in the file, first in line 2; it takes one"),
        ("a: 1e999", "real", "a is 1e999, expected a number"),
        ("a: nan", "real", "a is nan, expected a number"),
        ("a: 1.2.3", "real", "a is 1.2.3, expected a number"),
        ("a: b", "text", "a is b, expected a quoted string"),
        ("a: 5", "message", r"a is 5, expected \{ ... \}"),
    ],
)
def test_a_wrong_value_is_an_error_with_its_place(text: str, getter: str, message: str) -> None:
    root = prototxt.parse(text, "x")
    arguments = [] if getter in ("message", "text") else [0]
    with pytest.raises(SourceError, match=message):
        getattr(root, getter)("a", *arguments)


def test_a_flag_refuses_other_words() -> None:
    with pytest.raises(SourceError, match="a is FALSE, expected true or false"):
        prototxt.parse("a: FALSE").flag("a", default=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x is empty, expected a network"),
        ("# nothing\n\n", "x is empty"),
        ("a { b: 1", r"x:1:3: a is opened here and never closed: a \} is missing"),
        ("a { } }", r"x:1:7: \} closes nothing that is open"),
        ("a {\n b: 1 >", r"x:2:7: > closes nothing that is open; a \(line 1\) closes with \}"),
        ("a: ", "x:1:4: the end of the file found where the value of a was expected"),
        ("a b", "'b' found where ':' or '{' was expected after a"),
        ("a: [1 2]", "'2' found where ',' or ']' was expected in the list a"),
        ("a: [1", "the end of the file found where ',' or ']' was expected in the list a"),
        ("a: [[1]]", r"'\[' found where the value of a was expected"),
        ('a: "b', r'x:1:4: the string that starts here with " has no end on its line'),
        ('a: "b\n"', "has no end on its line"),
        ('a: "\\q"', r"the string before holds the unknown escape \\q"),
        ("5: 1", "x:1:1: '5' found where a field's name was expected"),
        ("a: 1 $", r"x:1:6: '\$' has no meaning here"),
        ("[a.b", r"x:1:1: the extension's name that starts here has no \]"),
        ("{" * 100, r"'\{' found where a field's name was expected"),
    ],
)
def test_malformed_text_is_an_error_with_line_and_column(text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        prototxt.parse(text, "x")


@pytest.mark.parametrize("opening", ["a {", "a: [{ b ", "a <"])
def test_deep_nesting_is_an_error(opening: str) -> None:
    with pytest.raises(SourceError, match="messages are nested deeper than 100"):
        prototxt.parse(opening.replace("a: [{ b ", "a: [{ ") * 100_000)


def test_a_hundred_levels_are_read() -> None:
    assert keys("a {" * 99 + "}" * 99) == ["a"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"name: 'a'\n b: '\xff'", "a.prototxt:2:6: the byte 0xff is not UTF-8 text"),
        (b"\x08\x01\x00\x12", "is binary"),
        ("name: 'a'".encode("utf-16"), "a.prototxt"),
        (b"x" * 50_000_000, "there is no layer"),
        (b"a: 1\n" * 10_000_000, "there is no layer"),
        (b"\xfe" * 50_000_000, "is not UTF-8 text"),
        (b'"' * 50_000_000 + b"layer {", "found where a field's name was expected"),
        (b" " * (64 * 2**20 + 1), "is larger than 64 MB"),
    ],
    ids=["empty", "not UTF-8", "binary", "UTF-16", "one word", "many fields", "bytes", "quotes", "too large"],
)
def test_junk_is_refused_at_once(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "a.prototxt"
    path.write_bytes(data)
    start = time.process_time()
    with pytest.raises(SourceError, match=message):
        prototxt.load(path)
    assert time.process_time() - start < 10


def test_more_fields_than_any_network_has_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prototxt, "MOST_FIELDS", 10)
    with pytest.raises(SourceError, match="there are more than 10 fields"):
        prototxt.parse("a: 1 " * 11)


def test_a_missing_file_and_a_directory_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no such file"):
        prototxt.load(tmp_path / "a")
    with pytest.raises(SourceError, match="is a directory"):
        prototxt.load(tmp_path)
    with pytest.raises(SourceError, match="can't be read"):
        prototxt.load(tmp_path / "a\0b")
