"""Exported programs as the modules that they were made from.

torch.export writes a model down as one flat list of ops, each with the modules that were running. Parts
in place of those modules run the ops of each again, so that their calls are recorded like those of a live
model. Their inputs are the values that their ops read from outside; their outputs, those that others read.
"""

from __future__ import annotations

import functools
import inspect
import operator
from dataclasses import field
from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import dataclass
from torch.fx.node import map_arg
from torch.utils import _pytree as pytree

from flopledger_torch.archive.program import Flat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch.export import ExportedProgram
    from torch.fx import GraphModule, Node

    Stack = tuple[tuple[str, str, str], ...]

_CHECKS = "_guards_fn"
"""The function that checks the inputs: no part of the model."""
_WRAPS = "wrap_with_"
"""The operator that runs ops in another mode; the program keeps it in a module that the model has not."""


@dataclass(slots=True)
class _Call:
    """One call of a part: its steps, and the nodes that go in and come out."""

    part: Part
    steps: list[Node | _Call] = field(default_factory=list)
    inputs: list[Node] = field(default_factory=list)
    outputs: list[Node] = field(default_factory=list)


class Part(torch.nn.Module):
    """Takes the place of a module of the model that was exported."""

    _flopledger_due: tuple[_Run, _Call]

    def forward(self, *inputs: Any) -> Any:
        """Run the ops of the call that is due."""
        del inputs  # they are known to the run
        run, call = self._flopledger_due
        run(call.steps)
        found = [run.values[node] for node in call.outputs]
        return found[0] if len(found) == 1 else tuple(found)


class _Run:
    """One run of a program: the value of each node so far."""

    def __init__(self, root: torch.nn.Module) -> None:
        self.root = root
        self.values: dict[Node, Any] = {}

    def __call__(self, steps: Sequence[Node | _Call]) -> None:
        for step in steps:
            if isinstance(step, _Call):
                step.part._flopledger_due = (self, step)
                step.part(*(self.values[node] for node in step.inputs))
            else:
                self.values[step] = self._value(step)

    def _value(self, node: Node) -> Any:
        args, kwargs = map_arg((node.args, node.kwargs), self.values.__getitem__)
        if node.op == "get_attr":
            return operator.attrgetter(str(node.target))(self.root)
        if node.op == "call_module":
            module = operator.attrgetter(str(node.target))(self.root)
            return (module.forward if node.target == _CHECKS else module)(*args, **kwargs)
        function: Any = node.target
        if str(function).startswith(_WRAPS):
            args = tuple(a.forward if isinstance(a, torch.nn.Module) else a for a in args)
        return function(*args, **kwargs)


def parts_of(program: ExportedProgram | Flat) -> tuple[torch.nn.Module, str]:
    """Return a program as a tree of modules, and a remark on it; empty if there is none."""
    flat: Any = program if isinstance(program, Flat) else program.module()
    stacks = _stacks(flat)
    remark = "" if any(stacks.values()) else "the program does not name the modules of its operations"
    if remark and not isinstance(program, Flat):
        return flat, remark
    checks: Callable[[Sequence[Any]], None] = program.checks if isinstance(program, Flat) else _unchecked
    types = {path: kind for stack in stacks.values() for _, path, kind in stack}
    root = _class(types.get("", "Program"))()
    _add_contents(root, flat, types)
    steps = _planned(root, flat, stacks)
    nodes = list(flat.graph.nodes)
    given = [node for node in nodes if node.op == "placeholder"]
    signature = inspect.signature(flat.forward)
    graph, result = flat.graph, nodes[-1].args[0]

    def forward(*args: Any, **kwargs: Any) -> Any:
        run = _Run(root)
        values = _leaves(signature.bind(*args, **kwargs).arguments.values())
        checks(values)
        run.values.update(zip(given, values, strict=True))
        run(steps)
        return graph.process_outputs(map_arg(result, run.values.__getitem__))

    vars(forward)["__signature__"] = signature
    vars(root)["forward"] = forward
    return root, remark


def _unchecked(values: Sequence[Any]) -> None:
    """Check nothing: a program that torch has loaded checks its inputs itself."""
    del values


def _leaves(values: Any) -> list[Any]:
    """Return the tensors and numbers that arguments are made of, in order."""
    found = []
    for value in values:
        found += pytree.tree_leaves(tuple(value) if isinstance(value, (list, tuple)) else value)
    return found


def _stacks(flat: GraphModule) -> dict[Node, Stack]:
    """Return the modules that each node is in, outermost first: a key for the call, the path and the type.

    A node without a record belongs where the one before it does.
    """
    found: dict[Node, Stack] = {}
    last: Stack = ()
    for node in flat.graph.nodes:
        modules = node.meta.get("nn_module_stack") or {}
        stack = tuple(
            (key, path, _name(kind)) for key, (path, kind) in modules.items() if isinstance(path, str)
        )
        if node.op == "call_function" and stack:
            last = stack
        found[node] = last if node.op in ("call_function", "call_module") else ()
    return found


def _name(kind: Any) -> str:
    return f"{kind.__module__}.{kind.__qualname__}" if isinstance(kind, type) else str(kind)


@functools.cache
def _class(name: str) -> type[Part]:
    """Return a class of parts with the name of a module's class."""
    home, _, short = name.rpartition(".")
    return type(short, (Part,), {"__module__": home, "__doc__": Part.__doc__})


def _part(root: torch.nn.Module, path: str, types: dict[str, str]) -> Any:
    """Return the part at a path, made with those above it where it is not there yet."""
    found: Any = root
    prefix = ""
    for name in path.split(".") if path else ():
        prefix = f"{prefix}.{name}" if prefix else name
        if name not in found._modules:
            found._modules[name] = (_class(types[prefix]) if prefix in types else Part)()
        found = found._modules[name]
    return found


def _add_contents(root: torch.nn.Module, flat: Any, types: dict[str, str]) -> None:
    """Give the parts their weights and constants, in the order in which the program lists modules."""
    for name, parameter in flat.named_parameters(remove_duplicate=False):
        path, _, own = name.rpartition(".")
        _part(root, path, types)._parameters[own] = parameter
    for name, buffer in flat.named_buffers(remove_duplicate=False):
        path, _, own = name.rpartition(".")
        _part(root, path, types)._buffers[own] = buffer
    for path in types:
        _part(root, path, types)
    for node in flat.graph.nodes:
        if node.op not in ("get_attr", "call_module"):
            continue
        path, _, own = str(node.target).rpartition(".")
        part, value = _part(root, path, types), operator.attrgetter(str(node.target))(flat)
        if isinstance(value, torch.nn.Module) and node.target != _CHECKS:
            part._modules[own] = value
        elif not hasattr(part, own):
            part.__dict__[own] = value


def _planned(root: torch.nn.Module, flat: GraphModule, stacks: dict[Node, Stack]) -> list[Node | _Call]:
    """Return the steps of a program: nodes, and calls of parts with steps of their own."""
    steps: list[Node | _Call] = []
    attributes: list[Node] = []
    open_calls: list[tuple[str, _Call]] = []
    homes: dict[Node, tuple[_Call, ...]] = {}
    for node in flat.graph.nodes:
        if node.op in ("placeholder", "output"):
            continue
        if node.op == "get_attr":
            attributes.append(node)
            continue
        # a model that calls itself is open already
        stack = [step for step in stacks[node][1:] if step[1]]
        same = 0
        while same < min(len(stack), len(open_calls)) and stack[same][0] == open_calls[same][0]:
            same += 1
        del open_calls[same:]
        for key, path, _ in stack[same:]:
            call = _Call(_part(root, path, {}))
            (open_calls[-1][1].steps if open_calls else steps).append(call)
            open_calls.append((key, call))
        (open_calls[-1][1].steps if open_calls else steps).append(node)
        homes[node] = tuple(call for _, call in open_calls)
    _connect(flat, homes)
    return [*attributes, *steps]


def _connect(flat: GraphModule, homes: dict[Node, tuple[_Call, ...]]) -> None:
    """Note the inputs and outputs of each call."""
    for node in flat.graph.nodes:
        own = homes.get(node, ())
        for user in node.users:
            others = homes.get(user, ())
            for call in own:
                if call not in others and node not in call.outputs:
                    call.outputs.append(node)
            for call in others:
                if call not in own and node not in call.inputs and node.op != "get_attr":
                    call.inputs.append(node)
