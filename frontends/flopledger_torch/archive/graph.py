"""The graph of a program's document as torch's own kind of graph, node by node.

No code is made of it: ``torch.fx.GraphModule`` writes a function with the file's names in it and runs that.
The nodes are run one by one instead (:class:`SubGraph` for a graph within the graph).
"""

from __future__ import annotations

import keyword
import operator
import re
from typing import TYPE_CHECKING, Any

import torch
from torch.fx import Graph, Node
from torch.fx.node import map_arg

from flopledger_torch.archive import values
from flopledger_torch.archive.documents import listed, malformed, mapping, text, union, whole
from flopledger_torch.archive.operators import resolved

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_NODES = 1 << 18
"""The most nodes of a program; torch's own objects for one take some 4,000 bytes."""
DEEPEST_PATH = 100
"""The most parts of a module's path."""
_NAME = re.compile(r"[A-Za-z_]\w{0,999}", re.ASCII)
_POSITIONAL, _KEYWORD = 1, 2
"""``torch._export.serde.schema.ArgumentKind``; archives of torch up to 2.7 do not record it."""


class SubGraph(torch.nn.Module):
    """A graph within the graph, as an operator such as ``cond`` is given it."""

    def __init__(self, graph: Graph, holder: torch.nn.Module) -> None:
        super().__init__()
        self._graph_to_run = graph
        self._holder = (holder,)

    def forward(self, *inputs: Any) -> Any:
        """Run the nodes, one by one."""
        placeholders = self._graph_to_run.find_nodes(op="placeholder")
        if len(placeholders) != len(inputs):
            raise ValueError(
                f"a graph of {len(placeholders)} inputs within the program is given {len(inputs)}"
            )
        found: dict[Node, Any] = dict(zip(placeholders, inputs, strict=True))
        for node in self._graph_to_run.nodes:
            if node.op == "placeholder":
                continue
            args, kwargs = map_arg((node.args, node.kwargs), found.__getitem__)
            if node.op == "get_attr":
                found[node] = self._holder[0].get_submodule(str(node.target))
            elif node.op == "output":
                return args[0]
            else:
                function: Any = node.target
                found[node] = function(*args, **kwargs)
        return None


class Builder:
    """Builds one graph, and those within it."""

    def __init__(self, holder: torch.nn.Module, above: Builder | None = None) -> None:
        self.graph = Graph()
        self.holder = holder
        self.nodes: dict[str, Node] = {}
        self._root: Builder = above._root if above else self
        self._made = 0

    def build(self, document: Any, name_of_input: Callable[[int], str] = "arg{}".format) -> Graph:
        """Build a graph from its document.

        Raises:
            SourceError: It is malformed, or names an operator that a file may not name.
        """
        about = mapping(document, "a graph")
        for number, given in enumerate(listed(about.get("inputs"), "the inputs of a graph")):
            self._input(given, name_of_input(number))
        for node in listed(about.get("nodes"), "the nodes of a graph"):
            self._node(mapping(node, "a node"))
        outputs = [self.argument(one) for one in listed(about.get("outputs"), "the outputs of a graph")]
        single = about.get("is_single_tensor_return") is True and len(outputs) == 1
        self.graph.output(outputs[0] if single else tuple(outputs))
        return self.graph

    def _create(
        self, op: str, target: Any, args: Any = (), kwargs: Any = None, name: str | None = None
    ) -> Node:
        self._root._made += 1
        if self._root._made > MOST_NODES:
            raise malformed(f"expected at most {MOST_NODES} nodes")
        return self.graph.create_node(op, target, tuple(args), kwargs or {}, name)

    def _input(self, given: object, spare: str) -> None:
        kind, value = union(given, "an input")
        if kind == "as_tensor":
            name = name_of(mapping(value, "an input").get("name"))
        elif kind in ("as_sym_int", "as_sym_float", "as_sym_bool"):
            name = name_of(union(value, "an input")[1])
        elif kind in ("as_int", "as_float", "as_bool", "as_none", "as_string"):
            self._create("placeholder", spare, name=spare)
            return
        else:
            raise malformed("expected inputs that are tensors and numbers", kind)
        self.nodes[name] = self._create("placeholder", name, name=name)

    def _node(self, about: dict[str, Any]) -> None:
        target = resolved(text(about.get("target"), "the target of a node"))
        inputs = [mapping(one, "an argument") for one in listed(about.get("inputs"), "the inputs of a node")]
        if isinstance(target, torch._ops.OpOverload):
            args, kwargs = self._by_schema(target, inputs)
        elif isinstance(target, torch._ops.HigherOrderOperator):
            args, kwargs = self._in_order(inputs)
        else:
            args, kwargs = [self.argument(one.get("arg")) for one in inputs], {}
        outputs = listed(about.get("outputs"), "the outputs of a node")
        metadata = about.get("metadata")
        stack = _stack(metadata.get("nn_module_stack")) if isinstance(metadata, dict) else {}
        single = _single_name(outputs)
        if (
            isinstance(target, torch._ops.HigherOrderOperator)
            and about.get("is_hop_single_tensor_return") is False
        ):
            single = None
        node = self._create("call_function", target, args, kwargs, single)
        node.meta["nn_module_stack"] = stack
        if single is not None:
            self.nodes[single] = node
        else:
            several = len(outputs) == 1 and union(outputs[0], "an output")[0] == "as_tensors"
            self._unpack(node, union(outputs[0], "an output")[1] if several else outputs)

    def _unpack(self, node: Node, outputs: list[Any]) -> None:
        """Name the results of a node: one node for each result, and for each list in it."""
        for place, output in enumerate(listed(outputs, "the outputs of a node")):
            about = mapping(output, "an output")
            if set(about) == {"name"}:
                self._item(node, place, name_of(about["name"]))
                continue
            kind, value = union(about, "an output")
            if isinstance(value, list):
                self._unpack(self._item(node, place), value)
            elif kind != "as_none" and (name := _single_name([about])) is not None:
                self._item(node, place, name)

    def _item(self, node: Node, place: int, name: str | None = None) -> Node:
        found = self._create("call_function", operator.getitem, (node, place), name=name)
        found.meta["nn_module_stack"] = node.meta["nn_module_stack"]
        if name is not None:
            self.nodes[name] = found
        return found

    def _by_schema(self, target: Any, inputs: list[dict[str, Any]]) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments of an operator, each where its schema has it."""
        given = {text(one.get("name"), "an argument's name"): one for one in inputs}
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for argument in target._schema.arguments:
            if argument.name not in given:
                continue
            one = given.pop(argument.name)
            required = not argument.has_default_value() and not argument.kwarg_only
            kind = one.get("kind") or (_POSITIONAL if required else _KEYWORD)
            value = self.argument(one.get("arg"))
            if kind == _POSITIONAL or keyword.iskeyword(argument.name):
                args.append(value)
            else:
                kwargs[argument.name] = value
        if given:
            raise malformed(f"{target.name()} takes no argument of that name", next(iter(given)))
        return args, kwargs

    def _in_order(self, inputs: list[dict[str, Any]]) -> tuple[list[Any], dict[str, Any]]:
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for one in inputs:
            name = text(one.get("name"), "an argument's name")
            if one.get("kind") == _POSITIONAL or not name:
                args.append(self.argument(one.get("arg")))
            else:
                kwargs[name_of(name)] = self.argument(one.get("arg"))
        return args, kwargs

    def named(self, name: object) -> Node:
        """Return the node of a name."""
        if isinstance(name, str) and name in self.nodes:
            return self.nodes[name]
        raise malformed("nothing before has that name", name)

    def argument(self, given: object) -> Any:
        """Return an argument as an operator takes it."""
        kind, value = union(given, "an argument")
        if kind in _LITERALS:
            return _LITERALS[kind](value)
        found: Any
        match kind:
            case "as_tensor":
                found = self.named(mapping(value, "a tensor").get("name"))
            case "as_tensors":
                found = [self.argument({"as_tensor": one}) for one in listed(value, kind)]
            case "as_nested_tensors":
                found = [self.argument({"as_tensors": row}) for row in listed(value, kind)]
            case "as_optional_tensor" | "as_sym_int" | "as_sym_bool" | "as_sym_float":
                found = self._optional(value)
            case "as_optional_tensors" | "as_sym_ints" | "as_sym_bools" | "as_sym_floats":
                found = [self._optional(one) for one in listed(value, kind)]
            case "as_string_to_argument":
                found = {text(k, "a key"): self.argument(v) for k, v in mapping(value, kind).items()}
            case "as_graph":
                found = self._graph(mapping(value, "a graph"))
            case _:
                raise malformed("expected arguments that are tensors, numbers, texts and graphs", kind)
        return found

    def _optional(self, given: object) -> Any:
        kind, value = union(given, "an argument")
        if kind == "as_name":
            return self.named(value)
        return self.argument({kind: value})

    def _graph(self, about: dict[str, Any]) -> Node:
        """Make a module of a graph within the graph, registered under its name."""
        name = name_of(about.get("name"))
        if name not in self.holder._modules:
            if hasattr(self.holder, name):
                raise malformed("a graph has the name of something else", name)
            inner = torch.nn.Module()
            graph = Builder(inner, self).build(about.get("graph"))
            self.holder.register_module(name, SubGraph(graph, inner))
        return self._create("get_attr", name, name=name)


def name_of(value: object) -> str:
    """Return a name of the format, which is a Python name."""
    name = text(value, "a name")
    if _NAME.fullmatch(name) and not keyword.iskeyword(name):
        return name
    raise malformed("expected a name of letters, digits and underscores", name)


def _single_name(outputs: list[Any]) -> str | None:
    """Return the name of a node's result if that is one tensor or size."""
    if len(outputs) != 1:
        return None
    kind, value = union(outputs[0], "an output")
    if kind == "as_tensor":
        return name_of(mapping(value, "an output").get("name"))
    if kind in ("as_sym_int", "as_sym_float", "as_sym_bool", "as_optional_tensor"):
        inner, name = union(value, "an output")
        if inner == "as_tensor":
            return name_of(mapping(name, "an output").get("name"))
        return name_of(name) if inner == "as_name" else None
    return None


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise malformed("expected a truth value", value)


def _fraction(value: object) -> float:
    """Return a floating number; the format writes one that is not finite as a text."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and value in ("Infinity", "-Infinity", "NaN"):
        return float(value)
    raise malformed("expected a number", value)


def _number(value: object) -> int:
    return whole(value, "a number")


def _text(value: object) -> str:
    return text(value, "a text")


def _complex(value: object) -> complex:
    parts = mapping(value, "a complex number")
    return complex(_fraction(parts.get("real")), _fraction(parts.get("imag")))


def _several(one: Callable[[object], Any]) -> Callable[[object], list[Any]]:
    return lambda value: [one(item) for item in listed(value, "several arguments")]


_LITERALS: dict[str, Callable[[object], Any]] = {
    "as_none": lambda _: None,
    "as_int": _number,
    "as_ints": _several(_number),
    "as_int_lists": _several(_several(_number)),
    "as_float": _fraction,
    "as_floats": _several(_fraction),
    "as_float_lists": _several(_several(_fraction)),
    "as_bool": _truth,
    "as_bools": _several(_truth),
    "as_string": _text,
    "as_strings": _several(_text),
    "as_complex": _complex,
    "as_scalar_type": values.dtype,
    "as_memory_format": values.memory_format,
    "as_layout": values.layout,
    "as_device": lambda _: torch.device("cpu"),  # nothing is computed, and the file's device may not be here
    "as_operator": lambda value: resolved(text(value, "an operator")),
}
"""How each kind of argument is read in which there is no tensor."""


def _stack(written: object) -> dict[str, tuple[str, str]]:
    """Return the modules that a node is in, outermost first: by a key, the path and the type's name.

    They are written as ``key,path,type;key,path,type``; a path may have commas and semicolons in brackets.
    """
    found: dict[str, tuple[str, str]] = {}
    if not isinstance(written, str) or not written:
        return found
    for item in written.split(";"):
        key, path, kind = (*_parts(item), "", "", "")[:3]
        if path.count(".") >= DEEPEST_PATH or kind.count(".") >= DEEPEST_PATH:
            raise malformed(f"expected a module's path of at most {DEEPEST_PATH} parts", path)
        found[key] = (path, kind)
    return found


def _parts(item: str) -> list[str]:
    """Split at the commas outside brackets."""
    found, depth, start = [], 0, 0
    for at, character in enumerate(item):
        depth += (character in "[(") - (character in ")]")
        if character == "," and not depth:
            found.append(item[start:at])
            start = at + 1
    return [*found, item[start:]]
