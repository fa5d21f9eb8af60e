from __future__ import annotations

import pytest
from flopledger.dims.arithmetic import symbol
from flopledger.errors import UsageError
from flopledger.frontend.specs import InputSpec, gather, parse_spec
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1x3x224x224", InputSpec("", (1, 3, 224, 224))),
        ("7", InputSpec("", (7,))),
        ("scalar", InputSpec("", ())),
        ("input_ids=1x128:int64", InputSpec("input_ids", (1, 128), "int64")),
        ("t=scalar:int64", InputSpec("t", (), "int64")),
        ("batch.image=1x3x8x8", InputSpec("batch.image", (1, 3, 8, 8))),
        ("boxes[0]=5x4", InputSpec("boxes[0]", (5, 4))),
        ("a.b[1].c=2", InputSpec("a.b[1].c", (2,))),
        ("use_cache=!False", InputSpec("use_cache", None, literal=False, is_literal=True)),
        ("sizes=!(1, 'a=!b')", InputSpec("sizes", None, literal=(1, "a=!b"), is_literal=True)),
        ("!'a=!b'", InputSpec("", None, literal="a=!b", is_literal=True)),
        ("x=!None", InputSpec("x", None, is_literal=True)),
        ("9223372036854775807", InputSpec("", (2**63 - 1,))),
        ("größe=2x3", InputSpec("größe", (2, 3))),
        ("007x1", InputSpec("", (7, 1))),
        ("1,3,224,224", InputSpec("", (1, 3, 224, 224))),
        ("(1, 3, 224, 224)", InputSpec("", (1, 3, 224, 224))),
        ("1 x 3 x 224 x 224", InputSpec("", (1, 3, 224, 224))),
        ("[1, 3]", InputSpec("", (1, 3))),
        ("(7,)", InputSpec("", (7,))),
        ("()", InputSpec("", ())),
        ("ids=(1, 128):i64", InputSpec("ids", (1, 128), "int64")),
        ("x=1,3:bf16", InputSpec("x", (1, 3), "bfloat16")),
        ("1x3:f16", InputSpec("", (1, 3), "float16")),
        ("1x3:fp32", InputSpec("", (1, 3), "float32")),
        ("1x3:u8", InputSpec("", (1, 3), "uint8")),
        ("1x3:double", InputSpec("", (1, 3), "float64")),
        ("1X3X227X227", InputSpec("", (1, 3, 227, 227))),
        ("1\u00d73\u00d7227", InputSpec("", (1, 3, 227))),
        ("torch.Size([1, 3, 227])", InputSpec("", (1, 3, 227))),
        ("x=TensorShape([1, 3]):f16", InputSpec("x", (1, 3), "float16")),
        ("(1,3,227)f32", InputSpec("", (1, 3, 227), "float32")),
        ("1x3:BF16", InputSpec("", (1, 3), "bfloat16")),
        ("1x3:torch.float16", InputSpec("", (1, 3), "float16")),
        ("1x3:fp16", InputSpec("", (1, 3), "float16")),
        ("1x3:half", InputSpec("", (1, 3), "float16")),
        ("1x3:float8_e4m3fn", InputSpec("", (1, 3), "float8_e4m3fn")),
    ],
)
def test_a_spec_is_read(text: str, expected: InputSpec) -> None:
    assert parse_spec(text) == expected


def test_a_capital_letter_begins_a_symbol() -> None:
    assert parse_spec("Nx3xHxW").shape == (symbol("N"), 3, symbol("H"), symbol("W"))
    assert parse_spec("x=Seq_1x2").shape == (symbol("Seq_1"), 2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "'' is neither a size nor a symbol"),
        ("nx3", "'n' is neither a size nor a symbol, which begins with a capital: N"),
        ("None,3", "None leaves a size open; write a number, such as 1, or a symbol, such as N"),
        ("?x3", "? leaves a size open"),
        ("-1,3", "-1 leaves a size open"),
        ("1x3:bfloat", "'bfloat' is not a dtype; did you mean 'bfloat16'? Expected"),
        ("(1, 3", "'(1' is neither a size nor a symbol"),
        ("1,,3", "'' is neither a size nor a symbol"),
        ("(1x3)", "'1x3' is neither a size nor a symbol"),
        ("1, 3x4", "'3x4' is neither a size nor a symbol"),
        ("x", "'' is neither a size nor a symbol"),
        ("x3", "'' is neither a size nor a symbol"),
        ("3x", "'' is neither a size nor a symbol"),
        ("3xx3", "'' is neither a size nor a symbol"),
        ("0x3", "the size 0 is out of range"),
        ("-2x3", "'-2' is neither a size nor a symbol"),
        ("1.5x3", "'1.5' is neither a size nor a symbol"),
        ("1e3", "'1e3' is neither a size nor a symbol"),
        ("1_000", "'1_000' is neither a size nor a symbol"),
        (" 1x3", "' 1' is neither a size nor a symbol"),
        ("٣x3", "'٣' is neither a size nor a symbol"),
        ("²x3", "'²' is neither a size nor a symbol"),
        ("9223372036854775808", "the size 9223372036854775808 is out of range"),
        ("1x3:", "'' is not a dtype"),
        ("1x3:32", "'32' is not a dtype"),
        ("1x3:int64:x", "'int64:x' is not a dtype"),
        ("=1x3", "'' is not a name"),
        ("a-b=1x3", "'a-b' is not a name"),
        ("a.=1x3", "'a.' is not a name"),
        ("a[]=1x3", "'a[]' is not a name"),
        ("a[٣]=1x3", "'a[٣]' is not a name"),
        ("a[-1]=1x3", "'a[-1]' is not a name"),
        ("[0]=1x3", "'[0]' is not a name"),
        ("a=b=1", "'b=1' is neither a size nor a symbol"),
        ("a=!open('x')", "\"open('x')\" is not a Python literal"),
        ("a=!", "'' is not a Python literal"),
        ("a=!{[]: 1}", "'{[]: 1}' is not a Python literal"),
    ],
)
def test_what_is_no_spec_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec(text)
    assert reason in str(caught.value)
    assert "Expected [NAME=]DIMxDIM...[:DTYPE]" in str(caught.value)


def test_a_size_of_a_million_digits_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="out of range"):
        parse_spec("9" * 1_000_000)


@pytest.mark.parametrize("text", ["!" + "(" * 5000, "!" + "9" * 5000, "!\0", "!" + "-" * 100_000 + "1"])
def test_a_literal_that_python_can_not_parse_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a Python literal"):
        parse_spec(text)


@given(st.text(max_size=30))
def test_any_text_is_a_spec_or_refused(text: str) -> None:
    try:
        spec = parse_spec(text)
    except UsageError:
        return
    assert spec.is_literal or spec.shape is not None


@given(st.lists(st.integers(1, 2**63 - 1), min_size=1, max_size=8))
def test_every_shape_can_be_written(sizes: list[int]) -> None:
    assert parse_spec("x".join(map(str, sizes))).shape == tuple(sizes)


def gathered(*texts: str) -> tuple[tuple[InputSpec, ...], dict[str, object]]:
    positional, named = gather(map(parse_spec, texts))
    return positional, dict(named)


def test_inputs_without_a_name_are_positional() -> None:
    assert gathered("1x3", "2", "mask=4") == (
        (parse_spec("1x3"), parse_spec("2")),
        {"mask": parse_spec("mask=4")},
    )


def test_names_with_dots_and_indices_make_dicts_and_tuples() -> None:
    texts = ("batch.image=1x3", "boxes[1]=5x4", "batch.labels[0].id=7", "boxes[0]=6x4")
    image, second, label, first = map(parse_spec, texts)
    assert gathered(*texts) == (
        (),
        {"batch": {"image": image, "labels": ({"id": label},)}, "boxes": (first, second)},
    )


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (("x=1", "x=2"), "the input 'x' is given twice"),
        (("b[0]=1", "b[0]=2"), "the input 'b[0]' is given twice"),
        (("b.c=1", "b=2"), "the input 'b' is given twice, or as a whole and in parts"),
        (("b=1", "b.c=2"), "the inputs 'b' and 'b.c' exclude each other"),
        (("b[0]=1", "b[2]=1"), "the inputs b[...] lack b[1]"),
        (("b[999999999]=1",), "the inputs b[...] lack b[0]"),
        (("a.b[1]=1",), "the inputs a.b[...] lack a.b[0]"),
        (("b[0]=1", "b.c=1"), "the input 'b.c' makes a tuple and a dict of the same argument"),
        (("b.c=1", "b[0].d=1"), "the input 'b[0].d' makes a tuple and a dict of the same argument"),
        (("a" + ".a" * 5000 + "=1",), "is 5000 levels deep; at most 32 are read"),
    ],
)
def test_inputs_that_exclude_each_other_are_refused(texts: tuple[str, ...], reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        gathered(*texts)
    assert reason in str(caught.value)
