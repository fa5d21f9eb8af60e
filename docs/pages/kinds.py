"""The pages of the kinds: one for each family, each kind with its attributes, shapes and arithmetic."""

from __future__ import annotations

import importlib
import inspect
from types import MappingProxyType
from typing import TYPE_CHECKING

from flopledger.dims.arithmetic import symbol, text
from flopledger.errors import FlopledgerError
from flopledger.kinds import FAMILIES, Call, builtin
from flopledger.kinds.kind import REQUIRED
from flopledger.plugins import discovery as plugins

from pages.formulas import is_formula, tex
from pages.markup import bullets, code, documentation, page, paragraphs, prose, table, toctree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from flopledger.dims.types import Dim, Shape
    from flopledger.graph.tables import Value
    from flopledger.kinds import Kind

DISTRIBUTION = "flopledger"
N, C, H, W, I, K, M, O, T, L, S, E, D, F = map(symbol, "NCHWIKMOTLSEDF")  # noqa: E741  (the formulas' letters)
IMAGE: Shape = (N, C, H, W)
SEQUENCE: Shape = (T, N, I)

_WINDOW: Mapping[str, Value] = {"kernel": (3, 3), "padding": (1, 1)}
_FILTER: Mapping[str, Value] = {**_WINDOW, "out_channels": O, "bias": True}
_POOL: Mapping[str, Value] = {"kernel": (2, 2), "stride": (2, 2)}
_CELL: Mapping[str, Value] = {"hidden_size": H}

EXAMPLES: Mapping[str, tuple[Mapping[str, Value], tuple[Shape, ...]]] = MappingProxyType(
    {
        "conv": (_FILTER, (IMAGE,)),
        "conv_transpose": ({**_FILTER, "stride": (2, 2), "output_padding": (1, 1)}, (IMAGE,)),
        "linear": ({"out_features": O, "bias": True}, ((N, I),)),
        "bilinear": ({"out_features": O, "bias": True}, ((N, I), (N, K))),
        "matmul": ({}, ((N, M, K), (N, K, O))),
        "attention": ({}, ((N, H, L, E), (N, H, S, E), (N, H, S, E))),
        "multi_head_attention": ({"embed_dim": D, "heads": 8, "batch_first": True}, ((N, L, D),) * 3),
        "transformer_encoder_layer": (
            {"embed_dim": D, "heads": 8, "feedforward": F, "batch_first": True},
            ((N, L, D),),
        ),
        "einsum": ({"equation": "nqc,nkc->nqk"}, ((N, M, C), (N, K, C))),
        "embedding_bag": (
            {"num_embeddings": 1000, "embedding_dim": E, "mode": "mean"},
            ((N, L),),
        ),
        "cdist": ({}, ((N, K), (M, K))),
        "fft": ({"axes": (1,)}, ((N, 1024),)),
        "lu": ({}, ((N, M, M),)),
        "cholesky": ({}, ((N, M, M),)),
        "solve": ({}, ((M, M), (M, K))),
        "inverse": ({}, ((N, M, M),)),
        "max_pool": (_POOL, (IMAGE,)),
        "avg_pool": (_POOL, (IMAGE,)),
        "stochastic_pool": (_POOL, (IMAGE,)),
        "group_norm": ({"groups": 32}, ((N, 256, H, W),)),
        "rnn": (_CELL, (SEQUENCE,)),
        "gru": (_CELL, (SEQUENCE,)),
        "lstm": (_CELL, (SEQUENCE,)),
        "rnn_cell": (_CELL, ((N, I),)),
        "gru_cell": (_CELL, ((N, I),)),
        "lstm_cell": (_CELL, ((N, I),)),
    }
)
"""Attributes and input shapes of a call for kinds that need more than one image."""

DEFAULT_INPUTS: tuple[tuple[Shape, ...], ...] = ((IMAGE,), (IMAGE, IMAGE))
"""What all other kinds are tried on."""


def families() -> Mapping[str, tuple[str, Sequence[Kind]]]:
    """Return our kinds by family: what its module says, and its kinds; those of our frontends too."""
    known = builtin()
    found: dict[str, tuple[str, Sequence[Kind]]] = {}
    for name in FAMILIES:
        module = importlib.import_module(f"flopledger.kinds.{name}")
        kinds: tuple[Kind, ...] = module.KINDS
        own = [kind for kind in kinds if known[kind.name] is kind]
        found[name] = (inspect.getdoc(module) or "", own)
    for plugin in plugins.registry().plugins.values():
        brought: list[Kind] = list(plugin.hooks.kinds() or ()) if plugin.distribution == DISTRIBUTION else []
        if brought:
            found[plugin.name] = (f"Kinds that only the frontend {plugin.name} has.", brought)
    return found


def pages() -> Mapping[str, str]:
    """Return a page for each family, and their list."""
    found = {f"kinds/{name}": _family(doc, kinds) for name, (doc, kinds) in families().items()}
    return {"kinds/index": _index(), **found}


def _index() -> str:
    rows = [
        (f"[{kind.name}](#kind-{anchor(kind)})", _doc(kind), kind.group, _arithmetic(kind))
        for _, kinds in families().values()
        for kind in kinds
    ]
    rows.sort(key=lambda row: row[0])
    return page(
        "Kinds of layers",
        "A kind is what a layer computes, in no framework's words: its attributes, the shapes of its "
        "outputs, and the arithmetic that it takes. A frontend assigns a kind to each layer; a convention "
        "puts a price on the arithmetic. The *group* is what the switches of our own conventions turn on and "
        "off. A *free* kind moves data and computes nothing; one with *no formula* shows as unknown.",
        table(("kind", "what it is", "group", "arithmetic"), rows),
        "The parts of a formula are listed under "
        "[names](../names.md), with all else that a convention's expression may name.",
        toctree(families()),
    )


def anchor(kind: Kind) -> str:
    """Return how links to a kind end."""
    return kind.name.replace("_", "-").replace(".", "-")


def _arithmetic(kind: Kind) -> str:
    return "free" if kind.free else "no formula" if kind.parts is None else "counted"


def _doc(kind: Kind) -> str:
    """Return what a kind is; where that is a formula, as mathematics, and its source behind it."""
    formula, bracket, source = kind.doc.partition(" (arXiv")
    if not bracket:
        formula, bracket, source = kind.doc.partition(" (Caffe")
    if is_formula(formula, strict=True):
        return f"${tex(formula)}$" + prose(f"{bracket}{source}")
    return prose(kind.doc, formulas=True)


def _family(doc: str, kinds: Sequence[Kind]) -> str:
    title, _, rest = doc.partition("\n")
    return page(title.strip().rstrip("."), paragraphs(rest, formulas=True), *(_kind(kind) for kind in kinds))


def _kind(kind: Kind) -> str:
    blocks = [
        f"(kind-{anchor(kind)})=\n## {code(kind.name)}",
        f"{_capital(_doc(kind))}. Group: {code(kind.group)}.",
        _attributes(kind),
        _rule("Shapes", kind.shapes),
        _rule("Facts", kind.facts),
        _rule("Parts", kind.parts) if kind.parts else "No formula: its work depends on the data.",
        "Free: it moves data, and nothing is computed." if kind.free else "",
        _example(kind),
    ]
    return "\n\n".join(block for block in blocks if block)


def _attributes(kind: Kind) -> str:
    rows = [(code(a.name), _default(a.default), prose(a.doc, formulas=True)) for a in kind.attributes]
    return table(("attribute", "default", "meaning"), rows)


def _default(value: object) -> str:
    if value is REQUIRED or value is None:
        return "required" if value is REQUIRED else "not given"
    return code(str(value).lower() if isinstance(value, bool) else str(value))


def _rule(title: str, rule: Callable[[Call], object]) -> str:
    """Write a rule's docstring."""
    written = documentation(rule, formulas=True)
    return f"**{title}**: {_sentence(written)}" if written else ""


def _sentence(written: str) -> str:
    """Leave out how a docstring speaks to the one who calls the function."""
    for start in ("Return the shape rule of everything that works ", "Return the "):
        if written.startswith(start):
            rest = written.removeprefix(start)
            return f"as {rest}" if "everything" not in start else f"the shape stays; it works {rest}"
    return written


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _example(kind: Kind) -> str:
    """Write the formula out for one call, in symbols."""
    for call in _calls(kind):
        found = _worked_out(kind, call)
        if found:
            shapes = ", ".join(_shape(shape) for shape in call.inputs)
            given = ", ".join(code(f"{name} = {_setting(value)}") for name, value in call.attrs.items())
            outputs = ", ".join(_shape(shape) for shape in call.outputs)
            head = f"**Example**: an input {shapes}{f', with {given}' if given else ''}, output {outputs}:"
            return f"{head}\n\n{bullets(found)}"
    return ""


def _calls(kind: Kind) -> Iterator[Call]:
    """Yield the calls that a kind may be shown on: those for which its shape rule has an output."""
    if kind.free or kind.parts is None:
        return
    attrs, inputs = EXAMPLES.get(kind.name, ({}, ()))
    for shapes in (inputs,) if inputs else DEFAULT_INPUTS:
        try:
            kind.check(attrs, kind.name)
            yield Call(kind, attrs, shapes, tuple(kind.shapes(Call(kind, attrs, shapes))))
        except FlopledgerError:
            continue


def _worked_out(kind: Kind, call: Call) -> list[str]:
    try:
        facts = {name: value for name, value in kind.facts(call).items() if name == "macs"}
        parts = kind.parts(call) if kind.parts else {}
    except FlopledgerError:
        return []
    return [f"{name}: {code(text(value))}" for name, value in {**facts, **parts}.items() if value != 0]


def _shape(shape: Shape) -> str:
    return code(" x ".join(map(text, shape)) or "scalar")


def _setting(value: Value | Dim) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_setting, value))})"
    return str(value).lower() if isinstance(value, bool) else str(value)
