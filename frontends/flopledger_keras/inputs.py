"""The inputs of a model's call: those that are asked for, or those that it declares."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

import keras
from flopledger.frontend import (
    InputSpec,
    SourceError,
    UsageError,
    dataclass,
    gather,
    is_symbolic,
    nearest,
    split_values,
    symbol_names,
)

from flopledger_keras.introspect import dtype_of, graph_of
from flopledger_keras.libraries import documented_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger.frontend import Nested, Request, Shape

_BATCH, _SPATIAL, _LENGTH = 2, 64, 16
"""Example sizes for a symbol while Keras infers shapes, where the model declares none.

A batch of 1 would be stretched to any other size, and so could not show where the symbol goes. Networks of
pictures halve their sides up to five times, and 64 is still 2 then."""


@dataclass(slots=True)
class Inputs:
    """The arguments of the model's call, and the inputs among them with the shapes asked for."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    named: list[tuple[str, Any, Shape]] = field(default_factory=list)
    examples: dict[str, int] = field(default_factory=dict)

    @property
    def symbolic(self) -> bool:
        """Whether a size is a symbol."""
        return any(is_symbolic(size) for _, _, shape in self.named for size in shape)

    def tensor(self, name: str, shape: Shape, dtype: str, like: tuple[int | None, ...] = ()) -> Any:
        """Return an input; a symbol is an example size while Keras infers shapes."""
        sizes = [self._size(size, i, shape, like) for i, size in enumerate(shape)]
        made = keras.KerasTensor(tuple(sizes), dtype=dtype, name=name)
        self.named.append((name, made, shape))
        return made

    def _size(self, size: Any, axis: int, shape: Shape, like: tuple[int | None, ...]) -> int:
        if not is_symbolic(size):
            return int(size)
        names = symbol_names(size)
        declared = like[axis] if axis < len(like) else None
        usual = _BATCH if axis == 0 else _SPATIAL if len(shape) > 3 else _LENGTH
        return self.examples.setdefault(names[0], declared or usual)


def inputs_of(model: Any, request: Request) -> Inputs:
    """Return the inputs of the model's call.

    Raises:
        UsageError: An input does not fit the model, or a size is open and not given.
        SourceError: The model declares no inputs, and none are given.
    """
    graph = graph_of(model)
    if graph is not None:
        return _declared(model, request, documented_size(model))
    if request.values is not None:
        return _live(model, request.values)
    if request.inputs:
        return _from_specs(model, request.inputs)
    return _built(model, request)


def _declared(model: Any, request: Request, size: Shape) -> Inputs:
    """Give a model's graph its inputs: in order, or by name; ``size`` has the defaults of its open sizes."""
    inputs, graph = Inputs(), graph_of(model)
    tensors, structure = keras.tree.flatten(graph.input), graph.input
    values, inputs.kwargs = _with_keywords(inputs, model, request.values, structure)
    request = replace(request, values=_in_order(values, structure))
    specs = _by_name(request, structure, [str(t.name) for t in tensors])
    made: list[Any] = []
    omitted = _omitted(request.values, structure)
    for tensor in tensors:
        if str(tensor.name) in omitted:
            made.append(None)
            continue
        spec, declared = specs.get(str(tensor.name)), tuple(tensor.shape)
        if spec is None:
            shape = _closed(str(tensor.name), declared, request, size)
        else:
            shape = _fitting(spec if request.values is None else _ranked(spec, declared), tensor)
        # whatever type is given: Functional.call casts to the declared one
        made.append(inputs.tensor(str(tensor.name), shape, dtype_of(tensor), declared))
    inputs.args = (keras.tree.pack_sequence_as(structure, made),)
    return inputs


def _all_places(structure: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the place of each member of nested inputs, as ``-i`` spells it: ``b.c[0]``."""
    if isinstance(structure, Mapping):
        for key, value in structure.items():
            yield from _all_places(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(structure, (list, tuple)):
        for place, value in enumerate(structure):
            yield from _all_places(value, f"{prefix}[{place}]")
    else:
        yield prefix, structure


def _places(structure: Any) -> Iterator[tuple[str, Any]]:
    """Yield the place of each tensor in nested inputs."""
    return ((place, value) for place, value in _all_places(structure) if value is not None)


def _with_keywords(
    inputs: Inputs, model: Any, values: object, structure: Any
) -> tuple[object, dict[str, Any]]:
    """Return the values of a pair of positional and named arguments, and the names: a mode and masks."""
    if not isinstance(values, tuple) or _fits(values, structure):
        return values, {}
    args, named = split_values(values, model.call)
    if len(args) != 1 or not named or not set(named) <= {"training", "mask"}:
        return values, {}
    masks = [m for m in keras.tree.flatten(named.get("mask")) if hasattr(m, "shape")]
    made = {id(m): inputs.tensor(f"mask_{i}", tuple(m.shape), dtype_of(m)) for i, m in enumerate(masks)}
    return args[0], keras.tree.map_structure(lambda value: made.get(id(value), value), named)


def _fits(values: object, structure: Any) -> bool:
    """Return whether values have no place that the model's inputs don't have."""
    return {place for place, _ in _all_places(values)} <= {place for place, _ in _all_places(structure)}


def _in_order(values: object, structure: Any) -> object:
    """Return values in the model's own structure if they are as many in a list of another, as Keras does."""
    if not isinstance(values, (list, tuple)) or _fits(values, structure):
        return values
    flat = keras.tree.flatten(values)
    same = len(flat) == len(keras.tree.flatten(structure))
    return keras.tree.pack_sequence_as(structure, flat) if same else values


def _omitted(values: object, structure: Any) -> set[str]:
    """Return the optional inputs that are given as None: Keras then calls the model without them."""
    if values is None:
        return set()
    nothing = {place for place, value in _all_places(values) if value is None}
    return {str(tensor.name) for place, tensor in _all_places(structure) if place in nothing}


def _by_name(request: Request, structure: Any, names: list[str]) -> dict[str, InputSpec]:
    """Return the spec of each input by its name: those with a name or place first, the others in order."""
    places = {place: str(tensor.name) for place, tensor in _places(structure)}
    specs = list(request.inputs) if request.values is None else _specs(request.values, places)
    if isinstance(request.values, Mapping) and set(names) <= {places.get(s.name, s.name) for s in specs}:
        specs = [s for s in specs if places.get(s.name, s.name) in names]  # Keras leaves out the others
    free = [n for n in names if n not in {places.get(s.name, s.name) for s in specs}]
    found: dict[str, InputSpec] = {}
    for spec in specs:
        name = places.get(spec.name, spec.name) or (free.pop(0) if free else "")
        if name not in names or name in found:
            known = [*names, *(place for place in places if place not in names)]
            what = f"the input {spec.name!r}" if spec.name else "one more input"
            near = nearest(spec.name, known) or "."
            raise UsageError(
                f"{request.source} has no place for {what}{near} Its inputs are {', '.join(names)}"
            )
        found[name] = spec
    return found


def _specs(values: object, places: Mapping[str, str]) -> list[InputSpec]:
    """Return the specs of values: by the places that they have among the model's inputs, else in order."""
    named = [(place, value) for place, value in _places(values) if hasattr(value, "shape")]
    nested = isinstance(values, Mapping) or {place for place, _ in named} <= set(places)
    if nested:
        return [_spec(place, value) for place, value in _places(values)]
    return [_spec("", value) for value in keras.tree.flatten(values) if value is not None]


def _spec(name: str, value: Any) -> InputSpec:
    if not hasattr(value, "shape"):
        raise UsageError(
            f"the input {name or value!r} is {type(value).__name__}, expected a tensor or an array"
        )
    return InputSpec(name, tuple(int(d) for d in value.shape), dtype_of(value))


def _ranked(spec: InputSpec, declared: tuple[int | None, ...]) -> InputSpec:
    """Return a value's shape with a last axis of 1 added or left out, as ``Functional.call`` does it."""
    shape = spec.shape or ()
    if len(shape) == len(declared) - 1 and declared[-1] == 1:
        return replace(spec, shape=(*shape, 1))
    longer = len(shape) == len(declared) + 1 and shape[-1] == 1
    return replace(spec, shape=shape[:-1]) if longer else spec


def _fitting(spec: InputSpec, tensor: Any) -> Shape:
    if spec.shape is None:
        raise UsageError(f"the input {tensor.name!r} is {spec.literal!r}, expected a shape")
    if len(spec.shape) != len(tensor.shape):
        written = "x".join(map(str, spec.shape)) or "a scalar"
        message = f"the input {tensor.name!r} is given as {written}, the model declares {tuple(tensor.shape)}"
        raise UsageError(f"{message}: give {len(tensor.shape)} sizes, the batch first")
    return spec.shape


def _closed(name: str, declared: tuple[int | None, ...], request: Request, size: Shape) -> Shape:
    """Return a declared shape for a batch of one; other open sizes must be documented or given."""
    if size and declared[1:].count(None) == len(size):
        left = iter(size)
        return (declared[0] or 1, *(next(left) if one is None else one for one in declared[1:]))
    if None in declared[1:]:
        known = "x".join("?" if size is None else str(size) for size in declared)
        message = f"{request.source}: the input {name!r} is {known}, and its open sizes are not given"
        raise UsageError(
            f"{message}: name them all, as in -i {known.replace('?', '1', 1).replace('?', '224')}"
        )
    return tuple(1 if size is None else size for size in declared)


def _live(model: Any, values: object) -> Inputs:
    inputs = Inputs()
    count = iter(range(1 << 20))

    def made(value: Any) -> Any:
        if not hasattr(value, "shape"):
            return value
        return inputs.tensor(f"input_{next(count)}", tuple(int(d) for d in value.shape), dtype_of(value))

    if isinstance(values, dict) and set(values) <= set(_parameters(model)):
        inputs.kwargs = {name: keras.tree.map_structure(made, value) for name, value in values.items()}
    elif (pair := split_values(values, model.call))[1] and not isinstance(values, Mapping):
        inputs.args, inputs.kwargs = keras.tree.map_structure(made, pair)
    elif isinstance(values, tuple):
        inputs.args = _joined(model, [keras.tree.map_structure(made, value) for value in values])
    else:
        inputs.args = (keras.tree.map_structure(made, values),)
    return inputs


def _from_specs(model: Any, specs: Iterable[InputSpec]) -> Inputs:
    """Return the inputs that specs describe; names that ``call`` does not have are keys of its one argument.

    A model that takes one dict of tensors has none of its keys among its parameters.
    """
    inputs = Inputs()
    positional, named = gather(specs)
    args = [_nested(inputs, spec, f"input_{i}") for i, spec in enumerate(positional)]
    keywords = {name: _nested(inputs, value, name) for name, value in named.items()}
    known = _parameters(model)
    inside = {name: value for name, value in keywords.items() if name not in known}
    if inside and not args:
        args = [inside]
    elif inside:
        name = next(iter(inside))
        raise UsageError(f"{type(model).__name__}.call takes no input {name!r}{nearest(name, known)}")
    inputs.args = _joined(model, args)
    inputs.kwargs = {name: value for name, value in keywords.items() if name in known}
    return inputs


def _nested(inputs: Inputs, value: Nested, name: str) -> Any:
    if isinstance(value, tuple):
        return [_nested(inputs, one, f"{name}[{i}]") for i, one in enumerate(value)]
    if isinstance(value, dict):
        return {key: _nested(inputs, one, f"{name}.{key}") for key, one in value.items()}
    if value.is_literal or value.shape is None:
        return value.literal
    return inputs.tensor(value.name or name, value.shape, value.dtype or keras.config.floatx())


def _parameters(model: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(model.call).parameters


def _joined(model: Any, args: list[Any]) -> tuple[Any, ...]:
    """Return several inputs as one list where the model's call takes one argument, as Keras's own do."""
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    positional = [
        p for p in _parameters(model).values() if p.kind in by_place and p.name not in ("training", "mask")
    ]
    several = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in _parameters(model).values())
    required = [p for p in positional if p.default is p.empty]
    alone = isinstance(getattr(model, "input_spec", None), keras.InputSpec)  # then a mask may follow it
    joined = len(args) > 1 and len(required) == 1 and len(positional) < len(args)
    return (args,) if joined and not several and not alone else tuple(args)


def _built(model: Any, request: Request) -> Inputs:
    """Give a model the shapes that it was built with."""
    shapes = getattr(model, "_build_shapes_dict", None)
    if not shapes:
        raise SourceError(f"{request.source}: it declares no inputs; give them, as in -i 1x224x224x3")
    inputs, made = Inputs(), dict[str, Any]()
    for name, shape in shapes.items():
        key = name.removesuffix("_shape")
        made[key] = _shaped(inputs, key, shape, request)
    known = _parameters(model)
    if set(made) <= set(known):
        inputs.kwargs = made
        first = next(iter(known))
        inputs.args = (inputs.kwargs.pop(first),) if first in made else ()
    else:
        inputs.args = tuple(made.values())
    return inputs


def _shaped(inputs: Inputs, name: str, shape: Any, request: Request) -> Any:
    if isinstance(shape, dict):
        return {key: _shaped(inputs, f"{name}.{key}", one, request) for key, one in shape.items()}
    if shape and isinstance(shape[0], (tuple, list)):
        return [_shaped(inputs, f"{name}[{i}]", one, request) for i, one in enumerate(shape)]
    return inputs.tensor(name, _closed(name, tuple(shape), request, ()), keras.config.floatx())
