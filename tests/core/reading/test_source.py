from __future__ import annotations

from pathlib import Path

import pytest
from flopledger.errors import SourceError
from flopledger.frontend.request import Request
from flopledger.reading.read import read_source
from flopledger.reading.source import Attribute, locate
from hypothesis import given
from hypothesis import strategies as st


def test_an_existing_file_is_a_file_whatever_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a:b").touch()
    Path("net.py").touch()
    assert locate("a:b") == Path("a:b")
    assert locate("net.py:Model.small") == Attribute(Path("net.py"), "Model.small")
    assert locate(f"{tmp_path}/net.py:Model") == Attribute(tmp_path / "net.py", "Model")
    assert locate("acme.models:Net.small") == Attribute("acme.models", "Net.small")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("", "'' is no file"),
        ("missing.toy", "'missing.toy' is no file. Expected a file, package.module:attribute"),
        ("missing.py:Model", "there is no file 'missing.py'"),
        ("net.toy:Model", "no module"),
        ("my-package:Model", "'my-package' is neither a module's name nor a Python file"),
        ("folder/net:Model", "'folder/net' is neither a module's name nor a Python file"),
        ("acme.models:", "'' is no attribute's name"),
        (":Model", "'' is neither a module's name nor a Python file"),
        ("acme:Net()", "'Net()' is no attribute's name"),
        ("a:b:c", "'a:b' is neither"),
        ("https://example.org/net.toy", "'//example.org/net.toy' is no attribute's name"),
        ("C:\\nets\\net.toy", "is no attribute's name"),
        ("a\0b", "is no file"),
        ("a" * 5000, "is no file"),
    ],
)
def test_what_is_no_source_is_refused_with_the_reason(source: str, reason: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_source(source, Request(source))
    assert reason in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_a_source_or_refused(text: str) -> None:
    try:
        found = locate(text)
    except SourceError:
        return
    assert isinstance(found, Attribute) or found.exists()


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("exampels/alexnet.prototxt", "examples/alexnet.prototxt"),
        ("examples/alexnt.prototxt", "examples/alexnet.prototxt"),
        ("examples/alexnet.prototx", "examples/alexnet.prototxt"),
        ("Examples/AlexNet.prototxt", "examples/alexnet.prototxt"),
        ("exampels/nets.py:Net", "examples/nets.py"),
        ("examples/vgg16.prototxt", None),
        ("exampels", None),
        ("bert-base-uncased", None),
    ],
)
def test_of_a_file_that_is_not_there_the_nearest_is_named(
    source: str, meant: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network of another name is not meant, nor a file that shares some letters; a folder is no source."""
    (tmp_path / "examples").mkdir()
    for name in ("alexnet.prototxt", "nets.py"):
        (tmp_path / "examples" / name).touch()
    (tmp_path / "keras_seeds.py").touch()
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SourceError) as refused:
        locate(source)
    named = f"did you mean {meant!r}" if meant else "did you mean"
    assert (named in str(refused.value)) is (meant is not None)
