"""Messages name options on the command line, and arguments in Python."""

from __future__ import annotations

import flopledger as fl
import pytest
from flopledger.errors import UsageError
from flopledger.reading.python_words import in_python


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "give it, with your sizes: -i data=1x3x224x224",
            'give it, with your sizes: inputs="data=1x3x224x224"',
        ),
        (
            "give one -i for each input, such as -i ids=1x128:int64 -i mask=1x128",
            'give one of inputs= for each input, such as inputs=("ids=1x128:int64", "mask=1x128")',
        ),
        ("give sizes with -i x=...", 'give sizes with inputs="x=..."'),
        ("name them all, as in -i 1x224x224x3", 'name them all, as in inputs="1x224x224x3"'),
        (
            "give --arg width=... --arg depth=.... It is Net(width)",
            'give arguments={"width": ..., "depth": ...}',
        ),
        ("Choose one with --frontend NAME", "Choose one with frontend=NAME"),
        ("Read it with --execute (execute=True in Python)", "Read it with execute=True"),
        ("the limit that --timeout sets", "the limit that timeout= sets"),
        ("unless --memory-limit says how many", "unless memory_limit= says how many"),
        ("a picture - icon", "a picture - icon"),
    ],
)
def test_an_option_becomes_the_argument(message: str, expected: str) -> None:
    assert in_python(message).startswith(expected)


def test_an_error_of_the_library_names_the_argument() -> None:
    with pytest.raises(UsageError, match=r"inputs= and input_size= are both given"):
        fl.count("net.prototxt", "1x3x8x8", input_size=(1, 3, 8, 8))


def test_of_an_option_and_an_argument_the_argument_stays() -> None:
    given = "give the size of each: -i 1x3x224x224, in Python input_size=(1, 3, 224, 224)"
    assert in_python(given) == "give the size of each: input_size=(1, 3, 224, 224)"
