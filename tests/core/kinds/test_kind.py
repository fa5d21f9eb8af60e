from __future__ import annotations

import re

import pytest
from flopledger.dims.arithmetic import symbol
from flopledger.errors import GraphError, ShapeError
from flopledger.kinds import FAMILIES, Attribute, Call, Kind, builtin
from flopledger.kinds.kind import REQUIRED, dot_parts, same_shape

GROUPS = {
    "activation", "attention", "conv", "elementwise", "linear", "loss", "move", "norm", "pool", "recurrent",
    "resample", "softmax", "transform",
}  # fmt: skip

TOY = Kind(
    name="toy",
    doc="a kind with an attribute of each type",
    group="move",
    shapes=same_shape,
    attributes=(
        Attribute("size", "a size"),
        Attribute("rate", "a number", default=0.5),
        Attribute("word", "a word", default="yes"),
        Attribute("flag", "a truth value", default=True),
        Attribute("sizes", "some sizes", default=(1, 2)),
    ),
)


def call(*inputs: tuple[int, ...], **attrs: object) -> Call:
    return Call(TOY, attrs, inputs, inputs, where="net/toy")


def test_the_families_are_sorted_and_each_kind_has_one_name() -> None:
    assert list(FAMILIES) == sorted(FAMILIES)
    assert all(name == kind.name for name, kind in builtin().items())
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) for name in builtin())


@pytest.mark.parametrize("kind", builtin().values(), ids=lambda kind: kind.name)
def test_a_kind_is_documented_and_belongs_to_a_group(kind: Kind) -> None:
    assert kind.group in GROUPS
    assert kind.doc
    assert all(attribute.doc for attribute in kind.attributes)
    assert len(kind.defaults) == len(kind.attributes)
    assert kind.shapes.__doc__


def test_what_multiplies_matrices_gives_its_macs() -> None:
    dense = {"conv", "linear", "recurrent"}
    silent = [k.name for k in builtin().values() if k.group in dense and k.facts is TOY.facts]
    assert silent == []


def test_a_default_stands_in_for_what_is_not_given() -> None:
    asked = call((3,), size=7)
    assert (asked.dim("size"), asked.whole("size"), asked.number("size")) == (7, 7, 7)
    assert (asked.number("rate"), asked.word("word"), asked.flag("flag")) == (0.5, "yes", True)
    assert asked.dims("sizes") == (1, 2)
    assert TOY.defaults["size"] is REQUIRED


def test_elements_are_those_of_the_first_input_and_output() -> None:
    asked = call((3, 4), (5,))
    assert (asked.in_elems, asked.out_elems) == (12, 12)


def test_a_symbol_is_a_size_but_no_whole_number() -> None:
    asked = call((3,), size=symbol("N"))
    assert asked.dim("size") == symbol("N")
    with pytest.raises(GraphError, match="net/toy: the attribute 'size' is N, expected a whole number"):
        asked.whole("size")


@pytest.mark.parametrize(
    ("getter", "name", "value", "expected"),
    [
        ("dim", "size", True, "a whole number"),
        ("dim", "size", 1.5, "a whole number"),
        ("whole", "size", None, "a whole number"),
        ("number", "rate", True, "a number"),
        ("number", "rate", "0.5", "a number"),
        ("flag", "flag", 0, "true or false"),
        ("word", "word", 3, "a word"),
        ("dims", "sizes", [1, 2], "a list of whole numbers"),
        ("dims", "sizes", (1, "2"), "a list of whole numbers"),
    ],
)
def test_a_value_of_another_type_is_refused(getter: str, name: str, value: object, expected: str) -> None:
    with pytest.raises(GraphError, match=f"net/toy: the attribute '{name}' is .*, expected {expected}"):
        getattr(call((3,), **{name: value}), getter)(name)


def test_a_call_without_tensors_says_so() -> None:
    empty = Call(TOY, {}, ())
    with pytest.raises(ShapeError, match="toy: it has no input, toy needs one"):
        _ = empty.input
    with pytest.raises(ShapeError, match="toy: it has no output, toy has one"):
        _ = empty.output


def test_a_missing_attribute_is_named() -> None:
    with pytest.raises(GraphError, match="needs the attribute 'size', found none"):
        call((3,)).get("size")
    with pytest.raises(GraphError, match="net/toy: the kind 'toy' needs the attribute 'size'"):
        TOY.check({}, "net/toy")


def test_an_attribute_that_is_not_known_is_named() -> None:
    with pytest.raises(GraphError, match="has no attribute 'sze'; did you mean 'size'"):
        TOY.check({"size": 1, "sze": 1}, "net/toy")


def test_an_impossible_call_shows_its_shapes() -> None:
    assert str(call((3, 4), ()).impossible("no")) == "net/toy: no (input 3x4, a scalar)"


def test_a_dot_product_has_one_addition_less_than_terms() -> None:
    assert dot_parts(10, 2, 2) == {"multiplies": 10, "adds": 8, "bias_adds": 2}


def test_a_kind_without_formula_is_not_free() -> None:
    unknown = Kind(name="sorted", doc="", group="move", shapes=same_shape, parts=None)
    assert TOY.free
    assert not unknown.free
