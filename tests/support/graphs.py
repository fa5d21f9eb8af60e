"""Random graphs for property tests, and small ones made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import symbol
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import LEVELS, Module, Parameter, Reading, TensorRef
from flopledger.kinds import builtin
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.dims.types import Dim, Shape
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Value

SOURCES = (
    "torch.nn.Linear",
    "torch.nn.ReLU",
    "torch.nn.functional.relu",
    "torch.matmul",
    "aten.linear.default",
    "Convolution",
    "mine.Block",
)
ROLES = ("weight", "bias", "running_mean", "counter")
WORDS = st.text(max_size=8)
SIZES = st.integers(1, 9)

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), WORDS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple), st.dictionaries(WORDS, inner, max_size=3)
    ),
    max_leaves=6,
)


def layer(kind: str, attrs: Mapping[str, Value], *inputs: Shape) -> Graph:
    """Return a network of one layer, called once, its output shapes by the kind's own rule."""
    builder = GraphBuilder(builtin())
    tensors = [builder.input(f"x{i}", shape) for i, shape in enumerate(inputs)]
    outputs = [builder.tensor(shape) for shape in builder.infer(kind, attrs, tensors, kind)]
    builder.modules.append(Module(0, ("",), f"hand.{kind}"))
    builder.layer("", kind, f"hand.{kind}", module=0, inputs=tensors, outputs=outputs, attrs=attrs)
    return builder.build(Reading("by hand", "hand", "hand"), outputs)


@st.composite
def graphs(draw: st.DrawFn, *, symbols: bool = False) -> Graph:
    """Draw a graph: modules with several ways to them, shared parameters, calls nested on all levels."""
    builder = GraphBuilder(builtin())
    batch: Dim = symbol("N") if symbols and draw(st.booleans()) else draw(SIZES)
    tensors = [builder.input("x", (batch, draw(SIZES)), positional=draw(st.booleans()))]
    _parameters(draw, builder)
    _modules(draw, builder)
    builder.layer("", "container", "mine.Net", module=0, inputs=tensors)
    for _ in range(draw(st.integers(0, 8))):
        tensors.append(_call(draw, builder, tensors))
    notes = tuple(draw(st.lists(WORDS, max_size=2)))
    profile = {"mode": "eval", "grad": True, "fast_paths": True}
    return builder.build(Reading("drawn", "hand", "torch", "1", profile, notes), tensors[-1:])


def _parameters(draw: st.DrawFn, builder: GraphBuilder) -> None:
    for i in range(draw(st.integers(0, 4))):
        shape = tuple(draw(st.lists(SIZES, max_size=3)))
        same = draw(st.integers(0, i))
        role = draw(st.sampled_from(ROLES))
        builder.parameters.append(
            Parameter(i, (f"p{i}",), shape, role=role, trainable=draw(st.booleans()), object=i, storage=same)
        )


def _modules(draw: st.DrawFn, builder: GraphBuilder) -> None:
    count = draw(st.integers(1, 5))
    for i in range(count):
        below = (
            st.lists(st.integers(i + 1, count - 1), max_size=3, unique=True) if i + 1 < count else st.just([])
        )
        own = (
            draw(st.lists(st.integers(0, len(builder.parameters) - 1), max_size=2))
            if builder.parameters
            else []
        )
        builder.modules.append(
            Module(
                i,
                (f"m{i}" if i else "",),
                draw(st.sampled_from(SOURCES)),
                bases=tuple(draw(st.lists(st.sampled_from(SOURCES), max_size=2))),
                children=tuple(draw(below)),
                parameters=tuple((f"w{k}", p) for k, p in enumerate(own)),
                training=draw(st.booleans()),
                native=draw(st.dictionaries(WORDS, VALUES, max_size=2)),
            )
        )


def _call(draw: st.DrawFn, builder: GraphBuilder, tensors: list[int]) -> int:
    given = draw(st.sampled_from(tensors))
    kind = draw(st.sampled_from(("linear", "relu", "dropout", "container", "unknown")))
    attrs: dict[str, Value] = {}
    if kind == "linear":
        attrs = {"out_features": draw(SIZES), "bias": draw(st.booleans())}
    known = builder.kinds.get(kind)
    shape = builder.infer(kind, attrs, [given], kind)[0] if known else builder.tensors[given].shape
    output = builder.tensor(shape, alias_of=draw(st.sampled_from((None, given))))
    module = draw(st.one_of(st.none(), st.integers(0, len(builder.modules) - 1)))
    builder.layer(
        draw(st.sampled_from(("a", "b.c", "b.c/d"))),
        kind,
        draw(st.sampled_from(SOURCES)),
        level=draw(st.sampled_from(LEVELS)) if module is None else "layer",
        parent=draw(st.integers(0, len(builder.layers) - 1)),
        module=module,
        index=draw(st.integers(1, 3)),
        inputs=(given,),
        outputs=(output,),
        attrs=attrs,
        native={"input": TensorRef(given), **draw(st.dictionaries(WORDS, VALUES, max_size=2))},
        composite=draw(st.booleans()),
    )
    return output
