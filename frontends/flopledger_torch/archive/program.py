"""A program's document as a module with its weights, and the inputs that it was exported with."""

from __future__ import annotations

import inspect
import re
from dataclasses import field
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import dataclass

from flopledger_torch.archive import values
from flopledger_torch.archive.documents import documents, listed, malformed, mapping, text, union, whole
from flopledger_torch.archive.graph import DEEPEST_PATH, Builder, name_of
from flopledger_torch.archive.trees import arguments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torch.fx import Graph, Node

_PART = re.compile(r"\w{1,999}", re.ASCII)
_SYMBOL = re.compile(r"Symbol\('(\w+)'(?:, \w+=True)*\)", re.ASCII)
"""How newer torch writes a symbol; older torch writes its name alone. Other expressions are only compared."""
_LITERALS = ("as_int", "as_float", "as_bool", "as_none", "as_string")


class Flat(torch.nn.Module):
    """A program as one list of operators, with its weights, buffers and constants.

    Its ``forward`` only has the signature of the model's; whoever reads it runs the nodes.
    """

    graph: Graph
    checks: Checks


@dataclass(slots=True)
class _Input:
    """An input of the user's: its name, the document of a tensor or None, and a value."""

    name: str
    meta: Any
    value: Any


@dataclass(slots=True)
class Checks:
    """The sizes and values that the program was exported for: others would need other operators."""

    inputs: list[_Input] = field(default_factory=list)
    ranges: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, given: Sequence[Any]) -> None:
        """Check the inputs, in order.

        Raises:
            ValueError: One has another size, number or truth value.
        """
        sizes: dict[str, Any] = {}
        for own, one in zip(self.inputs, given, strict=True):
            if own.meta is None:
                if own.value is not None and not isinstance(one, torch.Tensor) and one != own.value:
                    raise ValueError(f"the program was exported for {own.name} == {own.value!r}, not {one!r}")
            elif isinstance(one, torch.Tensor):
                self._sizes(own, one, sizes)

    def _sizes(self, own: _Input, given: torch.Tensor, seen: dict[str, Any]) -> None:
        exported = values.sizes(own.meta, "sizes")
        if given.dim() != len(exported):
            raise ValueError(
                f"the program was exported for {own.name} of {len(exported)} axes, not {given.dim()}"
            )
        for axis, symbol in enumerate(values.symbols(own.meta)):
            what, size = f"{own.name}.size()[{axis}]", given.shape[axis]
            if symbol is None and size != exported[axis]:
                raise ValueError(f"the program was exported for {what} == {exported[axis]}, not {size}")
            if symbol is None:
                continue
            if seen.setdefault(symbol, size) != size:
                raise ValueError(f"the program was exported for {what} == {seen[symbol]}, not {size}")
            least, most = self._range(symbol)
            # torch writes 0 or 2 as the least where none was asked for
            if (least is not None and least > 2 and size < least) or (most is not None and size > most):
                raise ValueError(f"the program was exported for {what} from {least} to {most}, not {size}")

    def _range(self, symbol: str) -> tuple[int | None, int | None]:
        named = _SYMBOL.fullmatch(symbol)
        found = self.ranges.get(named[1] if named else symbol)
        if not isinstance(found, dict):
            return None, None
        least, most = found.get("min_val"), found.get("max_val")
        return (least if type(least) is int else None), (most if type(most) is int else None)


@dataclass(slots=True)
class Loaded:
    """A program from a file: its module, and the arguments of its export, positional and by name."""

    flat: Flat
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def load(path: Path) -> Loaded:
    """Read a program from a file, without its weights.

    Raises:
        SourceError: It is no exported program, is malformed, or names an object that no file may name.
    """
    found = documents(path)
    module = mapping(found.program.get("graph_module"), "the module of the program")
    signature = mapping(module.get("signature"), "the signature of the program")
    graph = mapping(module.get("graph"), "the graph of the program")
    flat = Flat()
    builder = Builder(flat)
    flat.graph = builder.build(graph)
    specs = [union(one, "an input") for one in listed(signature.get("input_specs"), "the inputs")]
    metas = mapping(graph.get("tensor_values"), "the tensors of the graph")
    ranges = mapping(found.program.get("range_constraints", {}), "the ranges of sizes")
    flat.checks = Checks(_lifted(flat, specs, metas, found.weights, graph), ranges)
    _mutations(flat, listed(signature.get("output_specs"), "the outputs"))
    leaves = [one.value for one in flat.checks.inputs]
    args, kwargs, names = arguments(module.get("module_call_graph"), leaves)
    _set_signature(flat, names, len(args))
    return Loaded(flat, args, kwargs)


def _lifted(
    flat: Flat,
    specs: list[tuple[str, Any]],
    metas: dict[str, Any],
    weights: Mapping[str, Any],
    graph: dict[str, Any],
) -> list[_Input]:
    """Turn the inputs that are weights into attributes of the module; return the user's own."""
    placeholders = [node for node in flat.graph.nodes if node.op == "placeholder"]
    if len(placeholders) != len(specs):
        raise malformed(f"expected {len(placeholders)} inputs in its signature", len(specs))
    storages = _Storages(weights)
    found = []
    for node, (kind, about) in zip(placeholders, specs, strict=True):
        spec = mapping(about, "an input")
        if kind in ("user_input", "constant_input"):
            found.append(_user_input(node, spec, metas, graph))
            continue
        target = text(spec.get(_NAMES.get(kind, "")), f"the name of a {kind}")
        meta = metas.get(node.name)
        home, own = _home(flat, target)
        if kind == "parameter":
            home._parameters[own] = storages.parameter(target, meta)
        elif kind == "buffer":
            home._buffers[own] = storages.tensor(target, meta)
            if spec.get("persistent") is False:
                home._non_persistent_buffers_set.add(own)
        else:
            home.__dict__[own] = values.zeros(meta)
        _replace(flat.graph, node, target)
    return found


_NAMES = {
    "parameter": "parameter_name",
    "buffer": "buffer_name",
    "tensor_constant": "tensor_constant_name",
}
"""Which inputs are attributes of the module, and where their name is found; custom objects and tokens are
not read."""


class _Storages:
    """Weights without memory; those that share it in the archive share it here."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self.weights = weights
        self.extents: dict[str, int] = {}
        self.made: dict[str, torch.Tensor] = {}
        self.parameters: dict[tuple[str, str], torch.nn.Parameter] = {}
        for about in weights.values():
            meta = self._meta(about)
            if meta is not None:
                name = str(about["path_name"])
                self.extents[name] = max(self.extents.get(name, 0), values.extent(meta))

    def _meta(self, about: object) -> Any:
        """Return the metadata of a weight; None if it is a pickle, which has none."""
        if not isinstance(about, dict) or not isinstance(about.get("path_name"), str):
            return None
        return about.get("tensor_meta")

    def tensor(self, name: str, meta: object) -> torch.Tensor:
        """Return a weight, as the list of weights has it or else as the graph does."""
        about = self.weights.get(name)
        listed_meta = self._meta(about)
        if listed_meta is None:
            return values.weight(meta)
        where = str(mapping(about, "a weight")["path_name"])
        if where not in self.made:
            kind = values.dtype(mapping(listed_meta, "a weight").get("dtype"))
            self.made[where] = torch.empty(self.extents[where], dtype=kind, device="meta")
        return values.view(self.made[where], listed_meta)

    def parameter(self, name: str, meta: object) -> torch.nn.Parameter:
        """Return a parameter; two names for one weight are one parameter, as they are in the model."""
        about = self.weights.get(name)
        fields = self._meta(about)
        if fields is None:
            return values.parameter(values.weight(meta), meta)
        key = (str(mapping(about, "a weight")["path_name"]), repr(fields))
        if key not in self.parameters:
            self.parameters[key] = values.parameter(self.tensor(name, meta), fields)
        return self.parameters[key]


def _user_input(node: Node, spec: dict[str, Any], metas: dict[str, Any], graph: dict[str, Any]) -> _Input:
    """Return an input of the user's, with zeros of the sizes that it was exported with."""
    name = str(node.name)
    kind, value = union(spec.get("arg", spec.get("value")), "an input")
    if kind == "as_tensor":
        own = text(mapping(value, "an input").get("name"), "an input's name")
        meta = metas.get(own)
        return _Input(own, mapping(meta, f"the metadata of the input {own!r}"), values.zeros(meta))
    if kind == "as_sym_int":
        own = text(union(value, "an input")[1], "an input's name")
        _, fields = union(mapping(graph.get("sym_int_values"), "sizes").get(own), "a size")
        _, hint = union(fields.get("hint") if isinstance(fields, dict) else {"as_int": fields}, "a size")
        return _Input(own, {"sizes": []}, whole(hint, "a size"))
    if kind in _LITERALS:
        return _Input(name, None, None if kind == "as_none" else value)
    raise malformed("expected inputs that are tensors and numbers", kind)


def _home(flat: Flat, target: str) -> tuple[torch.nn.Module, str]:
    """Return the module that a weight is an attribute of, made where it is not there yet, and its name."""
    parts = target.split(".")
    if len(parts) > DEEPEST_PATH:
        raise malformed(f"expected a weight's name of at most {DEEPEST_PATH} parts", target)
    found: torch.nn.Module = flat
    for part in parts:
        # No weight and no submodule can have the name of an attribute that every module has.
        if not _PART.fullmatch(part) or part.startswith("__") or hasattr(torch.nn.Module, part):
            raise malformed("expected a weight's name of plain names and points", target)
    for part in parts[:-1]:
        if part not in found._modules:
            found._modules[part] = torch.nn.Module()
        inner = found._modules[part]
        found = inner if inner is not None else torch.nn.Module()
    return found, parts[-1]


def _replace(graph: Graph, node: Node, target: str) -> Node:
    """Put an attribute of the module in place of an input."""
    with graph.inserting_before(node):
        found = graph.create_node("get_attr", target)
    node.replace_all_uses_with(found)
    graph.erase_node(node)
    return found


def _mutations(flat: Flat, outputs: list[Any]) -> None:
    """Write updated buffers and inputs back, and return only the user's outputs."""
    last = next(node for node in reversed(flat.graph.nodes) if node.op == "output")
    returned = last.args[0]
    given: list[Any] = list(returned) if isinstance(returned, (tuple, list)) else [returned]
    if len(given) != len(outputs):
        raise malformed(f"expected {len(given)} outputs in its signature", len(outputs))
    by_name = {str(node.target): node for node in flat.graph.nodes if node.op in ("get_attr", "placeholder")}
    kept, copies = [], {}
    for value, output in zip(given, outputs, strict=True):
        kind, about = union(output, "an output")
        if not kind.endswith("_mutation"):
            kept.append(value)
            continue
        names = [v for k, v in mapping(about, "an output").items() if k.endswith("_name")]
        target = by_name.get(str(names[0])) if names else None
        if target is None:
            raise malformed("an output is written into nothing that there is", names)
        with flat.graph.inserting_before(last):
            copies[value] = flat.graph.create_node(
                "call_function", torch.ops.aten.copy_.default, (target, value)
            )
    last.args = (tuple(copies.get(value, value) for value in kept),)


def _set_signature(flat: Flat, names: list[str], positional: int) -> None:
    """Give the module the signature of the model's ``forward``."""

    def forward(*args: Any, **kwargs: Any) -> None:
        del args, kwargs

    kinds = inspect.Parameter
    try:
        signature = inspect.Signature(
            [
                kinds(name_of(name), kinds.POSITIONAL_OR_KEYWORD if i < positional else kinds.KEYWORD_ONLY)
                for i, name in enumerate(names)
            ]
        )
    except ValueError as error:
        raise malformed(f"the names of its arguments: {error}") from None
    vars(forward)["__signature__"] = signature
    vars(flat)["forward"] = forward
