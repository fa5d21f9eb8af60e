"""Reads protobuf text into messages, without a schema and without recursion.

A message keeps its fields in order, repeated and unknown ones too, and an identifier stays distinct from a
quoted string; the expected type of a field is checked when it is read, by
:class:`~flopledger_caffe.text.message.Message`. So any fork's layers can be read. The grammar is that of
protobuf's text format: https://protobuf.dev/reference/protobuf/textformat-spec/.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from flopledger.frontend import SourceError, input_files

from flopledger_caffe.text.message import Document, Field, Form, Message

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_BYTES = 64 * 2**20
"""A network of a hundred thousand layers takes about 15 MB."""
MOST_FIELDS = 2_000_000
LONGEST_NAME = 200
_LARGE = 2**20
_LAYER = re.compile(r"\blayers?\s*+:?\s*+[{<\[]")
DEEPEST = 100
"""How deep messages may be nested; protobuf's own readers stop there too."""

_TOKEN = re.compile(
    r"""(?:[ \t\r\n\f\v]++|\#[^\n]*+)*+
    (?:(?P<word>[A-Za-z_]\w*+)
    | (?P<number>[-+]?\.?[0-9][\w.+-]*+|[-+][A-Za-z]\w*+)
    | (?P<string>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+')
    | (?P<mark>[{}<>\[\]:;,./-])
    | (?P<end>\Z)
    | (?P<wrong>.))""",
    re.VERBOSE | re.ASCII,
)
_PLAIN = re.compile(
    r"""(?:(?P<close>\})
    | (?P<key>[A-Za-z_]\w{0,199}+)[ \t\r\n]*+
      (?::[ \t\r\n]*+(?:(?P<word>[A-Za-z_]\w*+)|(?P<number>-?[0-9][\w.]*+)|"(?P<string>[^"\\\n]*+)")
      | :?[ \t\r\n]*+(?P<open>\{)))
    [ \t\r\n]*+(?=[A-Za-z_}])""",
    re.VERBOSE | re.ASCII,
)
"""The most frequent tokens of a file: one value, an opened or a closed message, then a field or an end."""
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))")
_ESCAPED = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip
_BYTE = re.compile("[\udc80-\udcff]")
"""An escaped byte above 127, as Python's ``surrogateescape`` holds it."""
_CLOSERS = {"{": "}", "<": ">"}
_FORMS = {form.value: form for form in (Form.WORD, Form.NUMBER, Form.STRING)}


class _Token(NamedTuple):
    """One token: ``word``, ``number``, ``string``, ``mark``, or ``end`` after the last."""

    form: str
    text: str
    offset: int


class _Frame(NamedTuple):
    """A message that is still open: its closing token, and the key of the list that contains it."""

    message: Message
    closer: str
    list_key: str


def load(path: Path) -> Message:
    """Read a file.

    Raises:
        SourceError: It is missing, a directory, too large, not text, or not protobuf text.
    """
    data = _bytes(path)
    if b"\0" in data:
        raise SourceError(
            f"{path} is binary (it holds a zero byte), expected the text of a network (.prototxt)"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        message = f"{path}:{line}:{column}: the byte 0x{data[error.start]:02x} is not UTF-8 text"
        raise SourceError(message) from None
    if len(text) > _LARGE and not _LAYER.search(text):
        raise SourceError(f"{path}: there is no layer {{ ... }} in its {len(data)} bytes; it is no network")
    return parse(text, str(path))


def _bytes(path: Path) -> bytes:
    if input_files.is_folder(path):
        raise SourceError(f"{path} is a directory, expected a file (.prototxt)")
    try:
        with input_files.open_regular(path) as file:
            data = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise SourceError(f"{path}: there is no such file") from None
    except OSError as error:
        raise SourceError(f"{path} can't be read: {error.strerror}") from None
    if len(data) > LARGEST_BYTES:
        limit = LARGEST_BYTES // 2**20
        raise SourceError(
            f"{path} is larger than {limit} MB, which no network's definition is; is it a weight file?"
        )
    return data


def parse(text: str, name: str = "prototxt") -> Message:
    """Read the text of a message; ``name`` is its name in errors.

    Raises:
        SourceError: The text is empty or malformed; the message names line and column.
    """
    document = Document(name, text)
    root = _Parser(document).parse()
    if not root.fields:
        raise SourceError(f"{name} is empty, expected a network: layer {{ ... }}")
    return root


def _unexpected(document: Document, offset: int, found: str) -> SourceError:
    if found in "\"'":
        return document.error(offset, f"the string that starts here with {found} has no end on its line")
    return document.error(offset, f"{found!r} has no meaning here")


class _Parser:
    """Reads one document; open messages are on ``stack``, never on Python's."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.offset = 0
        self.token = self._scan()
        self.stack = [_Frame(Message(document, 0), "", "")]
        self.list_key = ""
        self.fields = 0

    def parse(self) -> Message:
        """Read everything and return the outermost message."""
        while True:
            frame = self.stack[-1]
            if self.list_key:
                self._element()
            elif self.token.form == "end":
                break
            elif self.token.text == frame.closer and self.token.form == "mark":
                self._close(frame)
            elif not self._plain_fields():
                self._field()
        if len(self.stack) > 1:
            message, closer, _ = self.stack[-1]
            raise message.error(f"{message.name} is opened here and never closed: a {closer} is missing")
        return self.stack[0].message

    def _advance(self) -> _Token:
        token, self.token = self.token, self._scan()
        return token

    def _scan(self) -> _Token:
        match = _TOKEN.match(self.document.text, self.offset)
        form = match.lastgroup if match else None
        if match is None or form is None or form == "wrong":
            offset = match.start("wrong") if match else self.offset
            raise _unexpected(self.document, offset, self.document.text[offset])
        self.offset = match.end()
        return _Token(form, match[form], match.start(form))

    def _skip(self, marks: str) -> bool:
        if self.token.form == "mark" and self.token.text in marks:
            self._advance()
            return True
        return False

    def _plain_fields(self) -> bool:
        """Read plain fields as far as they go, without a token for each of their marks."""
        text, start = self.document.text, self.token.offset
        offset = start
        while match := _PLAIN.match(text, offset):
            form = str(match.lastgroup)
            if form == "close":
                frame = self.stack[-1]
                if frame.closer != "}" or frame.list_key:
                    break
                self.stack.pop()
            elif form == "open":
                self._push(match["key"], "{", match.start(form))
            else:
                self._add(match["key"], _FORMS[form], match[form], match.start(form) - (form == "string"))
            offset = match.end()
        if offset == start:
            return False
        self.offset = offset
        self._advance()
        return True

    def _field(self) -> None:
        """Read ``key: value``, ``key { ... }``, ``key: [ ... ]``, up to where a message opens."""
        key = self._key()
        colon = self._skip(":")
        if self._skip("["):
            self.list_key = key
            if self._skip("]"):
                self._end_list()
            return
        self._value(key, colon=colon)

    def _key(self) -> str:
        token = self._advance()
        if token.form == "word" and len(token.text) <= LONGEST_NAME:
            return token.text
        if token.form == "mark" and token.text == "[":
            return self._extension(token)
        if token.form == "mark" and token.text in "}>":
            raise self.document.error(
                token.offset, f"{token.text} closes nothing that is open{self._opened()}"
            )
        raise self.document.error(token.offset, f"{_shown(token)} found where a field's name was expected")

    def _opened(self) -> str:
        message, closer, _ = self.stack[-1]
        return f"; {message.name} (line {message.line}) closes with {closer}" if closer else ""

    def _extension(self, start: _Token) -> str:
        """Read the rest of ``[package.name]``."""
        parts = []
        while not self._skip("]"):
            token = self._advance()
            if token.form not in ("word", "number") and token.text not in (".", "/", "-"):
                raise self.document.error(start.offset, "the extension's name that starts here has no ]")
            parts.append(token.text)
        return f"[{''.join(parts)}]"

    def _value(self, key: str, *, colon: bool) -> None:
        """Read one value; of a message, only its opening."""
        token = self.token
        if token.form == "mark" and token.text in _CLOSERS:
            self._push(key, token.text, token.offset)
            self._advance()
            self.list_key = ""
            return
        if not colon and not self.list_key:
            raise self.document.error(
                token.offset, f"{_shown(token)} found where ':' or '{{' was expected after {key}"
            )
        if token.form == "string":
            self._add(key, Form.STRING, self._string(), token.offset)
        elif token.form in ("word", "number"):
            self._advance()
            self._add(key, _FORMS[token.form], token.text, token.offset)
        else:
            raise self.document.error(
                token.offset, f"{_shown(token)} found where the value of {key} was expected"
            )
        self._after_value()

    def _after_value(self) -> None:
        if not self.list_key:
            self._skip(";,")
        elif self._skip("]"):
            self._end_list()
        elif not self._skip(","):
            message = f"{_shown(self.token)} found where ',' or ']' was expected in the list {self.list_key}"
            raise self.document.error(self.token.offset, message)

    def _element(self) -> None:
        self._value(self.list_key, colon=True)

    def _end_list(self) -> None:
        self.list_key = ""
        self._skip(";,")

    def _string(self) -> str:
        """Read adjacent strings as one, in which a character's escaped bytes may be apart."""
        parts = []
        while self.token.form == "string":
            token = self._advance()
            text = token.text[1:-1]
            parts.append(_ESCAPE.sub(self._unescape, text) if "\\" in text else text)
        joined = "".join(parts)
        return _decoded(joined) if _BYTE.search(joined) else joined

    def _unescape(self, match: re.Match[str]) -> str:
        octal, hexadecimal, letter = match.groups()
        if letter is None:
            # Protobuf keeps the low eight bits of \777.
            byte = (int(octal, 8) if octal else int(hexadecimal, 16)) & 0xFF
            return bytes([byte]).decode(errors="surrogateescape")
        if letter not in _ESCAPED:
            raise self.document.error(
                self.token.offset, f"the string before holds the unknown escape \\{letter}"
            )
        return _ESCAPED[letter]

    def _add(self, key: str, form: Form, value: str | Message, offset: int) -> None:
        self.fields += 1
        if self.fields > MOST_FIELDS:
            raise self.document.error(
                offset, f"there are more than {MOST_FIELDS} fields, which no network has"
            )
        self.stack[-1].message.fields.append(Field(key, form, value, offset))

    def _push(self, key: str, mark: str, offset: int) -> None:
        """Open a message."""
        if len(self.stack) > DEEPEST:
            raise self.document.error(
                offset, f"messages are nested deeper than {DEEPEST}, which no network needs"
            )
        message = Message(self.document, offset, key)
        self._add(key, Form.MESSAGE, message, offset)
        self.stack.append(_Frame(message, _CLOSERS[mark], self.list_key))

    def _close(self, frame: _Frame) -> None:
        self._advance()
        self.stack.pop()
        self.list_key = frame.list_key
        self._after_value()


def _shown(token: _Token) -> str:
    """Quote a token, a long one only in part."""
    if token.form == "end":
        return "the end of the file"
    return repr(token.text if len(token.text) <= 40 else token.text[:37] + "...")


def _decoded(text: str) -> str:
    """Return a text with its escaped bytes read as protobuf's UTF-8, those that are none as Latin-1."""
    read = text.encode(errors="surrogateescape").decode(errors="surrogateescape")
    return _BYTE.sub(lambda match: chr(ord(match[0]) - 0xDC00), read)
