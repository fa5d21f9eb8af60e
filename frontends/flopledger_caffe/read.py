"""Reads a Caffe network into a graph. Shapes follow from the kinds' shape rules; nothing is run.

Source: Caffe's ``net.cpp`` (``Init``, ``AppendTop``, ``AppendBottom``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.errors import SourceError, UsageError, nearest
from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import CONTAINER, UNKNOWN, Module, Reading, Value
from flopledger.kinds import builtin

from flopledger_caffe.inputs import Specs, is_source, label, params_name, told
from flopledger_caffe.modules import Parameters
from flopledger_caffe.tables.layers import SPELLINGS, TABLE
from flopledger_caffe.text import net, prototxt
from flopledger_caffe.text.fields import LARGEST_DIM, Unshaped, View, unread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from flopledger.dims.types import Shape
    from flopledger.graph.graph import Graph
    from flopledger.reading.read import Request

    from flopledger_caffe.tables.row import Attrs, Blob, Operand, Row
    from flopledger_caffe.text.message import Message
    from flopledger_caffe.text.net import Entry, State

NETWORK = "caffe.Net"
"""The type of the module, and the source of the call, that is the whole network."""


def read_file(path: Path, request: Request) -> Graph:
    """Read a network's text.

    Raises:
        SourceError: The file is missing, malformed, or no network.
        UsageError: An input or a phase that is asked for is not there.
    """
    if path.suffix.lower() == ".caffemodel":
        raise SourceError(f"{path} holds weights; give the network's definition, a .prototxt, instead")
    return read_network(prototxt.load(path), request)


def read_network(root: Message, request: Request) -> Graph:
    """Read a network that is parsed already; see :func:`read_file`."""
    if request.values is not None:
        raise UsageError("a Caffe network takes shapes of inputs, such as data=1x3x224x224, not values")
    state = net.state_of(root, request.options, request.profile.get("mode"))
    reader = _Reader(root, state, Specs(request.inputs))
    outputs = reader.read()
    mode = "train" if state.phase == net.TRAIN else "eval"
    notes = tuple(reader.notes + reader.parameters.notes)
    reading = Reading(request.source, "caffe", "caffe", profile={"mode": mode}, notes=notes)
    return reader.builder.build(reading, outputs)


class _Reader:
    """Puts the layers of one network into a graph, in the order of the file."""

    def __init__(self, root: Message, state: State, specs: Specs) -> None:
        self.root, self.state, self.specs = root, state, specs
        self.builder = GraphBuilder(builtin())
        self.parameters = Parameters(self.builder)
        self.notes: list[str] = []
        self.blobs: dict[str, int] = {}
        self.unused: dict[str, int] = {}
        self.makers: dict[str, str] = {}
        self.culprits: dict[int, str] = {}
        self.paths: set[str] = {""}
        self.repeats: dict[str, int] = {}
        self.later: list[Entry] = []

    def read(self) -> tuple[int, ...]:
        """Read everything and return the network's outputs: the blobs that no layer uses."""
        builder, training = self.builder, self.state.phase == net.TRAIN
        if "layer" in self.root and "layers" in self.root:
            self.notes.append("both layer and layers are used; real Caffe would refuse that")
        self.notes += [f"the field {key} was left out" for key in net.unknown_fields(self.root)]
        builder.modules.append(
            Module(0, ("",), NETWORK, training=training, native={"name": self.root.text("name")})
        )
        builder.layer("", CONTAINER, NETWORK, module=0)
        self.later = list(net.entries(self.root, self.state, SPELLINGS))
        self.later.reverse()
        self._read_inputs()
        while self.later:
            self._read_layer(self.later.pop())
        self.specs.finish()
        self.parameters.finish()
        outputs = tuple(self.unused.values())
        inputs = tuple(item.tensor for item in builder.inputs)
        builder.layers[0] = replace(builder.layers[0], inputs=inputs, outputs=outputs)
        builder.modules[0] = replace(builder.modules[0], children=tuple(range(1, len(builder.modules))))
        return outputs

    def _read_inputs(self) -> None:
        """Read the inputs in front of the layers: ``input`` with ``input_dim`` or ``input_shape``."""
        root, names = self.root, self.root.texts("input")
        dims, shapes = root.numbers("input_dim", (1, LARGEST_DIM)), root.messages("input_shape")
        if len(dims) not in (0, 4 * len(names)):
            raise root.error(f"there are {len(dims)} input_dim, expected 4 for each of {len(names)} input")
        if len(shapes) not in (0, len(names)):
            raise root.error(
                f"there are {len(shapes)} input_shape, expected one for each of {len(names)} input"
            )
        given: list[Shape | None] = [None] * len(names)
        for i in range(len(names)):
            if shapes:
                given[i] = shapes[i].numbers("dim", (1, LARGEST_DIM))
            elif dims:
                given[i] = dims[4 * i : 4 * i + 4]
        for name, shape in zip(names, given, strict=True):
            tensor = self._input(name, shape)
            if tensor is None:
                raise root.error(
                    f"the file does not tell the shape of the input {name!r}{self._remedy(name)}"
                )
            self._register(name, tensor, "the network's inputs")

    def _input(self, name: str, shape: Shape | None) -> int | None:
        """Add an input, of the shape that the user gives or else of this one; None where there is neither."""
        spec = self.specs.take(name)
        if spec is not None and spec.shape is not None:
            return self.builder.input(name, spec.shape, spec.dtype or "float32")
        return None if shape is None else self.builder.input(name, shape)

    def _read_layer(self, entry: Entry) -> None:
        bottoms = [self._bottom(name, entry) for name in entry.bottoms]
        row = TABLE.get(entry.type)
        if row is not None:
            self._read_known(entry, row, bottoms)
        elif is_source(entry):
            self._read_source(entry)
        else:
            self._read_unknown(entry, bottoms)

    def _bottom(self, name: str, entry: Entry) -> int:
        if name in self.blobs:
            self.unused.pop(name, None)
            return self.blobs[name]
        for later in (entry, *reversed(self.later)):
            if name in later.tops:
                which = "itself" if later is entry else f"layer {later.name!r} (line {later.message.line})"
                raise entry.error(
                    f"needs the blob {name!r}, which no earlier layer makes, only {which}: a cycle"
                )
        raise entry.error(f"needs the blob {name!r}, which no layer makes{nearest(name, self.blobs)}")

    def _register(self, name: str, tensor: int, maker: str) -> None:
        self.blobs[name] = self.unused[name] = tensor
        self.makers[name] = maker

    def _read_source(self, entry: Entry) -> None:
        found = told(entry)
        shapes: list[Shape] = []
        tensors: list[int] = []
        for i, name in enumerate(entry.tops):
            shape = found.shapes[i]
            if shape is None and i and shapes[0] and entry.type not in ("Input", "DummyData"):
                shape = label(entry, name, shapes[0][0], found)
            tensor = self._input(name, shape)
            if tensor is None:
                remedy = self._remedy(name, found.batch, entry)
                raise entry.error(f"does not tell the shape of its blob {name!r}{remedy}")
            tensors.append(tensor)
            shapes.append(self._shape(tensor))
        given = {name for name in entry.tops if name in self.specs.given}
        self.notes += [note for note in found.notes if note.partition(":")[0] not in given]
        self._add(
            entry, "input", {"shapes": tuple(shapes)}, (), tensors, native=_spelled(entry, params_name(entry))
        )

    def _read_unknown(self, entry: Entry, bottoms: Sequence[int]) -> None:
        """Read a layer of a type that the table does not have; the user may give its tops' shapes."""
        tensors: list[int] = []
        given: list[Shape] = []
        for name in entry.tops:
            spec = self.specs.take(name, by_place=not entry.bottoms)
            if spec is None or spec.shape is None:
                tensors.append(self.builder.tensor(None))
            else:
                given.append(spec.shape)
                dtype = spec.dtype or "float32"
                tensors.append(self.builder.input(name, spec.shape, dtype, positional=not entry.bottoms))
        if not entry.bottoms and entry.tops and len(given) == len(tensors):
            self._add(entry, "input", {"shapes": tuple(given)}, (), tensors)
            return
        problem = f"no formula for Caffe type {entry.type!r}"
        if not entry.bottoms and entry.tops:
            problem += f", and the file does not tell what it brings{_example(entry.tops[0])}"
        self._add(entry, UNKNOWN, {}, bottoms, tensors, problem=problem)

    def _read_known(self, entry: Entry, row: Row, bottoms: Sequence[int]) -> None:
        _check_count(entry, "bottom", len(bottoms), row.bottoms)
        _check_count(entry, "top", len(entry.tops), row.made)
        shapes = tuple(self.builder.tensors[tensor].shape for tensor in bottoms)
        view = View(entry, row.params, shapes, self.state.phase)
        kind = row.kind(view) if callable(row.kind) else row.kind
        problem = row.why
        attrs: Attrs = {}
        blobs: tuple[Blob, ...] = ()
        inputs = list(bottoms)
        made: Sequence[Shape | None] = [None] * len(entry.tops)
        try:
            attrs, blobs = row.attrs(view), row.blobs(view)
            if row.operands is not None:
                inputs = [self._operand(bottoms, operand) for operand in row.operands(view)]
            view.all_shapes()
            made = self._made(view, row, kind, attrs, inputs)
            self._note_unread(view)
        except Unshaped:
            problem = f"its input has no shape: {self._culprit(bottoms)} above it is unknown"
        tensors = self._tops(entry, row, bottoms, made)
        native = {**_spelled(entry, row.params), **_facts(view, row)}
        self._add(
            entry, kind or UNKNOWN, attrs, inputs, tensors,
            blobs=blobs, native=native, problem=problem,
        )  # fmt: skip

    def _note_unread(self, view: View) -> None:
        entry, params = view.entry, view.params
        self.notes += [f"{entry.name}: the field {key} of {params.name} was left out" for key in unread(view)]

    def _operand(self, bottoms: Sequence[int], operand: Operand) -> int:
        tensor = bottoms[operand.bottom]
        return tensor if operand.shape is None else self._alias(tensor, operand.shape)

    def _alias(self, tensor: int, shape: Shape | None) -> int:
        """Add a tensor that is another one's memory."""
        original = self.builder.tensors[tensor]
        owner = tensor if original.alias_of is None else original.alias_of
        return self.builder.tensor(shape, original.dtype, owner)

    def _made(
        self, view: View, row: Row, kind: str | None, attrs: Attrs, inputs: Sequence[int]
    ) -> Sequence[Shape | None]:
        """Return the shapes of what a layer makes: by its kind's rule, else by its row's."""
        entry = view.entry
        if kind is None or row.tops is not None:
            made = [] if row.tops is None else list(row.tops(view))
        else:
            made = list(self.builder.infer(kind, attrs, inputs, entry.where))
        if len(made) < view.tops and row.more_tops is not None:
            made += (made[0] if shape is None else shape for shape in row.more_tops(view))
        if view.tops and len(made) != view.tops:
            raise entry.error(f"has {view.tops} tops, it makes {len(made)}")
        return made

    def _culprit(self, bottoms: Sequence[int]) -> str:
        tensor = next(tensor for tensor in bottoms if self.builder.tensors[tensor].shape is None)
        return self.culprits[tensor]

    def _tops(
        self, entry: Entry, row: Row, bottoms: Sequence[int], made: Sequence[Shape | None]
    ) -> list[int]:
        """Add what a layer makes; in place, or under another shape, it is its bottom's memory."""
        tensors = []
        for i, shape in enumerate(made):
            in_place = entry.bottoms[i : i + 1] == entry.tops[i : i + 1] != ()
            if in_place or (row.shares and bottoms):
                tensors.append(self._alias(bottoms[i if in_place else 0], shape))
            else:
                tensors.append(self.builder.tensor(shape))
        return tensors

    def _add(  # noqa: PLR0913  (what a layer is)
        self,
        entry: Entry,
        kind: str,
        attrs: Attrs,
        inputs: Sequence[int],
        outputs: Sequence[int],
        *,
        blobs: Sequence[Blob] = (),
        native: Mapping[str, Value] | None = None,
        problem: str = "",
    ) -> None:
        """Add a layer's module and its call, and make its tops known."""
        builder, path = self.builder, self._path(entry.name)
        own = _spelled(entry) if native is None else native
        number = len(builder.modules)
        parameters = self.parameters.add(entry, path, blobs)
        training = self.state.phase == net.TRAIN
        builder.modules.append(
            Module(number, (path,), entry.type, parameters=parameters, training=training, native=own)
        )
        builder.layer(
            path, kind, entry.type, parent=0, module=number,
            inputs=inputs, outputs=outputs, attrs=attrs, native=own, problem=problem,
        )  # fmt: skip
        self._name_tops(entry, inputs, outputs)

    def _name_tops(self, entry: Entry, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        for i, tensor in enumerate(outputs):
            if self.builder.tensors[tensor].shape is None:
                self.culprits[tensor] = self._origin(entry, inputs)
            if i >= len(entry.tops):
                self.unused[f"{entry.name} (automatic {i})"] = tensor
                continue
            name = entry.tops[i]
            in_place = entry.bottoms[i : i + 1] == (name,)
            if name in self.blobs and not in_place:
                raise entry.error(f"makes the blob {name!r}, which {self.makers[name]} makes already")
            self._register(name, tensor, f"layer {entry.name!r} (line {entry.message.line})")

    def _origin(self, entry: Entry, inputs: Sequence[int]) -> str:
        """Return the first layer above, or this one, whose output has no shape."""
        origins = (self.culprits[tensor] for tensor in inputs if tensor in self.culprits)
        return next(origins, f"{entry.name!r} ({entry.type})")

    def _path(self, name: str) -> str:
        """Return a layer's name, or where another has it already, one with a number."""
        path, number = name, self.repeats.get(name, 1)
        while path in self.paths:
            number += 1
            path = f"{name}#{number}"
        self.repeats[name] = number
        self.paths.add(path)
        return path

    def _remedy(self, name: str, batch: int | None = None, entry: Entry | None = None) -> str:
        """Tell how to give a shape, and which of those that are given have a name that nothing has."""
        known = {*self.blobs, *self.root.texts("input"), *(entry.tops if entry else ())}
        known.update(top for later in self.later for top in later.tops)
        lost = [given for given in self.specs.named if given not in known]
        hints = (
            f"; a shape is given for {given!r}, which is not there{nearest(given, known)}" for given in lost
        )
        return _example(name, batch) + "".join(hints)

    def _shape(self, tensor: int) -> Shape:
        shape = self.builder.tensors[tensor].shape
        return () if shape is None else shape


def _check_count(entry: Entry, what: str, found: int, allowed: tuple[int, int]) -> None:
    least, most = allowed
    if not least <= found <= most:
        expected = str(least) if least == most else f"{least} or more" if found < least else f"at most {most}"
        raise entry.error(f"has {found} {what}{'' if found == 1 else 's'}, expected {expected}")


def _facts(view: View, row: Row) -> dict[str, Value]:
    """Return the fields that conventions read, whether the file spells them or not."""
    params, facts = view.params, dict[str, Value]()
    for key, default in row.defaults.items():
        if key in row.words:
            facts[key] = params.word(key, row.words[key], str(default))
        elif isinstance(default, bool):
            facts[key] = params.flag(key, default=default)
        elif isinstance(default, int):
            facts[key] = params.real(key, default)
    return facts


def _spelled(entry: Entry, params: str = "") -> dict[str, Value]:
    """Return a layer's own fields as they are spelled; of a type that is not known, all of them."""
    fields: dict[str, Value] = {}
    for field in entry.message.fields:
        wanted = field.key == params if params else field.key.endswith("_param")
        if wanted and not isinstance(field.value, str):
            fields.update(field.value.plain())
    return fields


def _example(name: str, batch: int | None = None) -> str:
    return f"; give it, with your sizes: -i {name}={batch or 1}x3x224x224"
