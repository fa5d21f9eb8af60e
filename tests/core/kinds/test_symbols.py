"""Counting with symbols and then putting numbers in is the same as counting with the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pytest
from flopledger.conventions.facts import STRUCTURAL
from flopledger.dims.arithmetic import substitute, symbol
from flopledger.errors import ShapeError
from flopledger.kinds import FAMILIES, Call, activation, builtin, loss, norm, scan
from flopledger.kinds.kind import FACTS, PARTS
from hypothesis import assume, given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.dims.types import Dim, Shape
    from flopledger.kinds import Facts, Parts

# A kind, its attributes and its input shapes; "N", "H" and "W" stand for sizes in both.
Case: TypeAlias = "tuple[str, dict[str, object], tuple[object, ...]]"

NAMES = ("N", "H", "W")
IMAGE = ("N", 4, "H", "W")
PAIRS = st.tuples(st.integers(1, 4), st.integers(1, 4))
ONES_AND_TWOS = st.tuples(st.integers(1, 2), st.integers(1, 2))
BORDERS = st.tuples(st.integers(0, 2), st.integers(0, 2))
AXES = st.sampled_from([1, 2, 3, -1])


def one_of(*cases: Case) -> st.SearchStrategy[Case]:
    return st.sampled_from(cases)


def windowed(kinds: list[str], **more: st.SearchStrategy[object]) -> st.SearchStrategy[Case]:
    attrs = st.fixed_dictionaries(
        {"kernel": PAIRS, "stride": PAIRS, "dilation": ONES_AND_TWOS, "padding": st.tuples(BORDERS, BORDERS)}
        | more
    )
    return st.tuples(st.sampled_from(kinds), attrs, st.just((IMAGE,)))


def with_attrs(kind: str, *inputs: object, **attrs: st.SearchStrategy[object]) -> st.SearchStrategy[Case]:
    return st.tuples(st.just(kind), st.fixed_dictionaries(attrs), st.just(inputs))


LIMITS = st.none() | st.integers(-15, 15)

CASES: dict[str, st.SearchStrategy[Case]] = {
    "conv": windowed(
        ["conv", "conv_transpose"],
        out_channels=st.just(6),
        groups=st.sampled_from([1, 2]),
        bias=st.booleans(),
    ),
    "pool": windowed(
        ["max_pool", "avg_pool", "stochastic_pool", "lp_pool"],
        ceil=st.booleans(),
        clip=st.booleans(),
        whole=st.booleans(),
    )
    | with_attrs("adaptive_max_pool", IMAGE, output_size=PAIRS)
    | with_attrs("adaptive_avg_pool", IMAGE, output_size=st.tuples(st.none(), st.integers(1, 4))),
    "move": with_attrs(
        "slice", IMAGE, axis=AXES, start=LIMITS, stop=LIMITS, step=st.sampled_from([-3, -1, 1, 2])
    )
    | one_of(
        ("reshape", {"shape": ("N", -1)}, (IMAGE,)),
        ("reshape", {"shape": (-1, 4, "H")}, (IMAGE,)),
        ("flatten", {}, (IMAGE,)),
        ("concat", {"axis": 2}, (IMAGE, ("N", 4, 3, "W"))),
        ("stack", {}, (IMAGE, IMAGE)),
        ("split", {"sizes": (1, 3)}, (IMAGE,)),
        ("unstack", {"axis": 1}, (IMAGE,)),
        ("pad", {"padding": ((0, 0), (0, 0), (1, 2), (3, 0))}, (IMAGE,)),
        ("crop", {}, (("N", 4, 12, 12), IMAGE)),
        ("tile", {"repeats": (2, 3)}, (IMAGE,)),
        ("expand", {"shape": ("N", "H", "W")}, (("H", 1),)),
        ("unsqueeze", {"axes": (0,)}, (IMAGE,)),
        ("dropout", {"training": True}, (IMAGE,)),
    ),
    "rearrange": with_attrs("im2col", IMAGE, kernel=PAIRS, stride=PAIRS, flat=st.booleans())
    | one_of(
        ("transpose", {"order": (0, 2, 3, 1)}, (IMAGE,)),
        ("channel_shuffle", {"groups": 2}, (IMAGE,)),
        ("pixel_shuffle", {"factor": 2}, (IMAGE,)),
    ),
    "linear": with_attrs("linear", IMAGE, out_features=st.integers(1, 5), axis=AXES, bias=st.booleans())
    | one_of(
        ("bilinear", {"out_features": 3, "bias": True}, (("N", "H"), ("N", "W"))),
        ("matmul", {}, ((1, "H", "W"), ("N", "W", 3))),
        ("matmul", {"transpose_b": True, "bias": True}, (("N", "H", "W"), (5, "W"))),
        ("embedding", {"num_embeddings": 9, "embedding_dim": 5, "bias": True}, (("N", "H"),)),
        ("embedding_bag", {"num_embeddings": 9, "embedding_dim": 5, "mode": "mean"}, (("N", "H"),)),
        ("embedding_bag", {"num_embeddings": 9, "embedding_dim": "W", "weighted": True}, (("H",), ("N",))),
    ),
    "norm": st.tuples(
        st.sampled_from([kind.name for kind in norm.KINDS if kind.name not in ("group_norm", "renorm")]),
        st.just({}),
        st.just((IMAGE,)),
    )
    | with_attrs("batch_norm", IMAGE, axis=AXES, batch_stats=st.booleans())
    | with_attrs("group_norm", IMAGE, groups=st.sampled_from([1, 2, 4]), scale=st.booleans())
    | with_attrs("l2_norm", IMAGE, axis=AXES, across_spatial=st.booleans(), slices=st.booleans())
    | with_attrs("renorm", IMAGE, axis=AXES),
    "activation": st.tuples(
        st.sampled_from([kind.name for kind in activation.KINDS if kind.name not in ("glu", "maxout")]),
        st.just({}),
        st.just((IMAGE,)),
    )
    | with_attrs("softmax", IMAGE, axis=AXES)
    | with_attrs("glu", IMAGE, axis=st.just(1))
    | with_attrs("maxout", IMAGE, pieces=st.sampled_from([1, 2, 4])),
    "elementwise": one_of(
        ("add", {"coefficients": (1, 2)}, (IMAGE, (4, 1, "W"))),
        ("average", {}, (IMAGE, IMAGE, IMAGE)),
        ("multiply", {"scalars": 1}, (("N", "H"), ("H", 1))),
        ("maximum", {}, (("N", 1), ("N", "W"), (5, "W"))),
        ("subtract", {}, (("N",), ("H",))),
        ("select", {}, (("N",), (1,), (7,))),
        ("clip", {}, (IMAGE,)),
        ("power_law", {"power": 2, "scale": 3, "shift": 1}, (IMAGE,)),
        ("log_law", {"base": 10}, (IMAGE,)),
    ),
    "reduce": st.tuples(
        st.sampled_from(
            [
                *("reduce_sum", "reduce_mean", "reduce_asum", "reduce_sumsq"),
                *("vector_norm", "variance", "arg_max", "min_max"),
            ]
        ),
        st.fixed_dictionaries(
            {"axes": st.sampled_from([None, (), (0,), (2, 3), (-1,)]), "keep_dims": st.booleans()}
        ),
        st.just((IMAGE,)),
    )
    | with_attrs("top_k", IMAGE, axis=AXES, size=st.integers(1, 4)),
    "loss": st.tuples(
        st.sampled_from([kind.name for kind in loss.KINDS]), st.just({}), st.just((IMAGE, ("N", "H", "W")))
    ),
    "recurrent": st.tuples(
        st.sampled_from(["rnn", "lstm"]),
        st.fixed_dictionaries(
            {
                "hidden_size": st.integers(1, 4),
                "layers": st.integers(1, 3),
                "directions": st.sampled_from([1, 2]),
                "projection": st.integers(0, 2),
                "batch_first": st.booleans(),
                "output_size": st.integers(0, 2),
                "static_size": st.integers(0, 2),
            }
        ),
        st.just((("H", "N", "W"),)),
    )
    | with_attrs("gru", ("H", "W"), hidden_size=st.integers(1, 4), layers=st.integers(1, 3))
    | with_attrs("lstm_cell", ("N", "W"), hidden_size=st.integers(1, 4)),
    "resample": st.tuples(
        st.just("resample"),
        st.fixed_dictionaries(
            {"mode": st.sampled_from(["nearest", "linear", "cubic"]), "scale": st.tuples(PAIRS, PAIRS)}
        ),
        st.just((IMAGE,)),
    )
    | with_attrs("resample", IMAGE, mode=st.just("area"), size=PAIRS),
    "attention": with_attrs(
        "attention",
        ("N", 2, "H", 4),
        ("N", 2, "W", 4),
        ("N", 2, "W", 6),
        causal=st.booleans(),
        mask=st.booleans(),
    )
    | with_attrs(
        "multi_head_attention",
        ("H", "N", 8),
        ("W", "N", 6),
        ("W", "N", 5),
        embed_dim=st.just(8),
        heads=st.just(2),
        causal=st.booleans(),
        mask=st.booleans(),
        extra_keys=st.integers(0, 2),
    )
    | with_attrs(
        "transformer_encoder_layer",
        ("N", "H", 8),
        embed_dim=st.just(8),
        heads=st.just(2),
        batch_first=st.booleans(),
        feedforward=st.just(12),
    ),
    "contraction": one_of(
        ("einsum", {"equation": "abc,acd->abd"}, (("N", "H", 4), ("N", 4, "W"))),
        ("einsum", {"equation": "abc,bd->ab", "bias": True}, (("N", "H", 3), ("H", "W"))),
        ("einsum", {"equation": "ab,bc,cd->ad"}, (("N", "H"), ("H", "W"), ("W", 5))),
        ("einsum", {"equation": "ab->ba"}, (("N", "H"),)),
        ("grouped_matmul", {}, (("N", "H"), (3, "H", "W"))),
        ("grouped_matmul", {"groups": 3, "bias": True}, (("N", "H"), ("H", "W"))),
    ),
    "deform": one_of(
        ("grid_sample", {}, (IMAGE, ("N", 5, "W", 2))),
        ("grid_sample", {"mode": "cubic"}, (IMAGE, ("N", "H", 6, 2))),
        ("affine_grid", {"size": ("H", "W")}, (("N", 2, 3),)),
        ("deform_conv", {"kernel": (3, 3), "padding": (1, 1), "out_channels": 6, "mask": True}, (IMAGE,)),
    ),
    "derivative": one_of(
        ("tanh_derivative", {}, (("N", "H", 3),)),
        ("log_softmax_derivative", {"axis": 1}, (("N", "H", "W"),)),
        ("conv_derivative", {"of_bias": True}, (("N", 8, "H", "W"), ("N", 4, "H", "W"), (8, 2, 3, 3))),
        (
            "conv_derivative",
            {"transposed": True, "of_weight": False},
            (("N", 2, "H", "W"), ("N", 4, "H", "W"), (4, 2, 3, 3)),
        ),
    ),
    "distance": one_of(
        ("cdist", {}, (("N", "H", 4), ("W", 4))),
        ("cdist", {"order": 1}, (("N", "H", 4), ("N", "W", 4))),
        ("pdist", {}, (("N", "H"),)),
        ("dist", {"order": None}, (("N", "H"), ("H",))),
    ),
    "fourier": one_of(
        ("fft", {"axes": (2, 1)}, (("N", 4, 6, "H"),)),
        ("fft", {"axes": (1, 2), "real": "input", "scaled": True}, (("N", 4, 6, "H"),)),
        ("fft", {"axes": (1,), "real": "output", "size": 9, "scaled": True}, (("N", 5, "H"),)),
    ),
    "scan": st.tuples(
        st.sampled_from([kind.name for kind in scan.KINDS]),
        st.fixed_dictionaries({"axis": AXES}),
        st.just((IMAGE,)),
    ),
    "search": one_of(
        ("sort", {}, (IMAGE,)),
        ("order_statistic", {"axes": (2,)}, (IMAGE,)),
        ("search", {"shape": ("N", "H")}, (IMAGE,)),
    ),
    "solve": one_of(
        ("lu", {}, (("N", "H", "W"),)),
        ("lu", {"pivot": False}, (("N", "H", "H"),)),
        ("cholesky", {}, (("N", "H", "H"),)),
        ("triangular_solve", {"triangles": 2, "unit": 1}, (("H", "H"), ("N", "H", "W"))),
        ("solve", {"vector": True}, (("N", "H", "H"), ("N", "H"))),
        ("solve", {"left": False}, (("H", "H"), ("W", "H"))),
        ("inverse", {}, (("N", "H", "H"),)),
        ("det", {}, (("N", "H", "H"),)),
        ("log_det", {}, (("N", "H", "H"),)),
        ("svd", {}, (("N", "H", "W"),)),
        ("eig", {}, (("N", "H", "H"),)),
    ),
    "special": one_of(
        ("special", {}, (IMAGE,)),
        ("logit", {"clipped": True}, (IMAGE,)),
        ("hypot", {}, (("N", "H"), ("H",))),
        ("cross", {}, (("N", 3), (3,))),
    ),
    "detection": one_of(
        ("prior_box", {"priors": 4}, (IMAGE,)),
        ("roi_pool", {"pooled": (3, 3)}, (IMAGE, ("N", 5))),
    ),
}


def placed(value: object, sizes: Mapping[str, Dim]) -> object:
    """Put sizes in place of their names."""
    if isinstance(value, tuple):
        return tuple(placed(entry, sizes) for entry in value)
    return sizes.get(value, value) if isinstance(value, str) else value


def asked(case: Case, sizes: Mapping[str, Dim]) -> tuple[tuple[Shape, ...], Parts, Facts]:
    name, attrs, inputs = case
    kind, given_attrs = builtin()[name], {key: placed(value, sizes) for key, value in attrs.items()}
    shapes = placed(inputs, sizes)
    out = kind.shapes(Call(kind, given_attrs, shapes))
    call = Call(kind, given_attrs, shapes, out)
    return out, kind.parts(call) if kind.parts else {}, kind.facts(call)


@pytest.mark.parametrize("family", FAMILIES)
@given(data=st.data(), sizes=st.fixed_dictionaries(dict.fromkeys(NAMES, st.integers(1, 12))))
def test_numbers_put_into_a_formula_give_the_count(
    family: str, data: st.DataObject, sizes: dict[str, int]
) -> None:
    case = data.draw(CASES[family])
    try:
        shapes, parts, facts = asked(case, sizes)
    except ShapeError:
        # These sizes are impossible; symbols stand for possible ones.
        assume(False)  # noqa: FBT003  (hypothesis takes it by position)
    symbolic_shapes, symbolic_parts, symbolic_facts = asked(case, {name: symbol(name) for name in NAMES})
    assert tuple(tuple(substitute(d, sizes) for d in shape) for shape in symbolic_shapes) == shapes
    assert {name: substitute(d, sizes) for name, d in symbolic_parts.items()} == parts
    assert {name: substitute(d, sizes) for name, d in symbolic_facts.items()} == facts


@pytest.mark.parametrize("family", FAMILIES)
@given(data=st.data())
def test_parts_and_facts_have_names_that_conventions_know(family: str, data: st.DataObject) -> None:
    case = data.draw(CASES[family])
    _, parts, facts = asked(case, {name: symbol(name) for name in NAMES})
    assert set(parts) <= set(PARTS)
    kind = builtin()[case[0]]
    certain = PARTS if kind.parts is None else ()  # operations that are certain where others are not
    assert set(facts) <= {*FACTS, *STRUCTURAL, *certain, *kind.fact_names}


def test_every_family_is_put_to_the_test() -> None:
    assert set(CASES) == set(FAMILIES)
