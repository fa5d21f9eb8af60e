"""Follows a Caffe network layer by layer: blobs, shapes by the kinds' shape rules, weights. Nothing is run.

Source: Caffe's ``net.cpp`` (``Init``, ``AppendTop``, ``AppendBottom``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.frontend import (
    CONTAINER,
    UNKNOWN,
    GraphBuilder,
    Module,
    ShapeError,
    SourceError,
    Value,
    builtin,
)

from flopledger_caffe.blobs import Blobs
from flopledger_caffe.inputs import Specs, is_source, label, params_name, stated
from flopledger_caffe.modules import Parameters
from flopledger_caffe.remedies import example, top_example
from flopledger_caffe.tables.layers import SPELLINGS, TABLE, is_foreign
from flopledger_caffe.tables.row import MANY, Known, Operand, arity, facts
from flopledger_caffe.text import net
from flopledger_caffe.text.fields import LARGEST_DIM, Unshaped, View, unread
from flopledger_caffe.text.message import ForeignError
from flopledger_caffe.text.net import own_fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flopledger.frontend import Shape

    from flopledger_caffe.tables.row import Attrs, Blob, Row
    from flopledger_caffe.text.message import Message
    from flopledger_caffe.text.net import Entry, State

NETWORK = "caffe.Net"
"""The type of the module, and the source of the call, that is the whole network."""


class Tracer:
    """Puts the layers of one network into a graph, in the order of the file.

    ``ones`` are the poolings with a kernel of 1 that Intel's Caffe rounds in another way, see
    :mod:`flopledger_caffe.read`; ``clips_ones`` rounds them so.
    """

    def __init__(self, root: Message, state: State, specs: Specs, *, clips_ones: bool = False) -> None:
        self.root, self.state, self.specs = root, state, specs
        self.clips_ones, self.ones = clips_ones, list[str]()
        self.builder = GraphBuilder(builtin())
        self.parameters = Parameters(self.builder)
        self.notes: list[str] = []
        self.blobs = Blobs(root, state, specs, self.builder, SPELLINGS)
        self.culprits: dict[int, str] = {}
        self.paths: set[str] = {""}
        self.repeats: dict[str, int] = {}
        self.known: dict[tuple[object, ...], Known] = {}

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
        self.blobs.later = list(net.entries(self.root, self.state, SPELLINGS))
        self.blobs.later.reverse()
        self._read_inputs()
        while self.blobs.later:
            self._read_layer(self.blobs.later.pop())
        self.specs.finish()
        self.parameters.finish()
        outputs = tuple(self.blobs.unused.values())
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
            tensor = self.blobs.input(name, shape)
            if tensor is None:
                raise root.error(
                    f"the file does not give the shape of the input {name!r}{self.blobs.remedy(name)}"
                )
            self.blobs.register(name, tensor, "the network's inputs")

    def _read_layer(self, entry: Entry) -> None:
        row = TABLE.get(entry.type)
        bottoms = self.blobs.bottoms(entry, MANY if row is None else row.labels)
        if row is not None:
            wrong = arity(entry, row, len(bottoms))
            if wrong:
                self._read_unknown(entry, bottoms, f"{wrong}: another layer than the known {entry.type!r}")
                return
            self._read_known(entry, row, bottoms)
        elif is_source(entry):
            self._read_source(entry)
        else:
            self._read_unknown(entry, bottoms, f"no formula for Caffe type {entry.type!r}")

    def _read_source(self, entry: Entry) -> None:
        found = stated(entry)
        shapes: list[Shape] = []
        tensors: list[int] = []
        for i, name in enumerate(entry.tops):
            shape = found.shapes[i]
            if shape is None and i and shapes[0] and entry.type not in ("Input", "DummyData"):
                shape = label(entry, name, shapes[0][0], found)
            tensor = self.blobs.input(name, shape)
            if tensor is None:
                remedy = self.blobs.remedy(name, entry)
                raise entry.error(f"does not give the shape of its blob {name!r}{remedy}")
            tensors.append(tensor)
            shapes.append(self._shape(tensor))
        given = {name for name in entry.tops if name in self.specs.given}
        self.notes += [note for note in found.notes if note.partition(":")[0] not in given]
        self._add(
            entry,
            "input",
            {"shapes": tuple(shapes)},
            (),
            tensors,
            native=own_fields(entry, params_name(entry)),
        )

    def _read_unknown(self, entry: Entry, bottoms: Sequence[int], problem: str) -> None:
        """Read a layer that the table does not have, or has as another; its tops' shapes may be given."""
        tensors: list[int] = []
        given: list[Shape] = []
        for i, name in enumerate(entry.tops):
            spec = self.specs.take(name, by_place=not entry.bottoms)
            if spec is None or spec.shape is None:
                # In place, top and bottom are one blob of one shape: a fork's activation, most likely.
                in_place = entry.bottoms[i : i + 1] == (name,)
                shape = self.builder.tensors[bottoms[i]].shape if in_place else None
                tensors.append(self.builder.tensor(None) if shape is None else self._alias(bottoms[i], shape))
            else:
                given.append(spec.shape)
                dtype = spec.dtype or "float32"
                tensors.append(self.builder.input(name, spec.shape, dtype, positional=not entry.bottoms))
        if not entry.bottoms and entry.tops and len(given) == len(tensors):
            self._add(entry, "input", {"shapes": tuple(given)}, (), tensors)
            return
        unshaped = [name for name, tensor in zip(entry.tops, tensors, strict=True) if self._is_open(tensor)]
        if unshaped and entry.bottoms:
            problem += top_example(unshaped[0])
        elif entry.tops and not entry.bottoms:
            remedy = example(self.root, SPELLINGS, entry.tops[0], entry)
            problem += f", and the file does not give its shape{remedy}"
        self._add(entry, UNKNOWN, {}, bottoms, tensors, problem=problem)

    def _read_known(self, entry: Entry, row: Row, bottoms: Sequence[int]) -> None:
        shapes = tuple(self.builder.tensors[tensor].shape for tensor in bottoms)
        view = View(entry, row.params, shapes, self.state.phase, clips_ones=self.clips_ones)
        inputs = list(bottoms)
        try:
            known = self._known(view, row, inputs)
        except (SourceError, ShapeError) as error:
            if not is_foreign(entry, row, error):
                raise
            reason = str(error).removeprefix(entry.where).removeprefix(": ").removeprefix(" ")
            self._read_unknown(entry, bottoms, f"another layer than the known {entry.type!r}: {reason}")
            return
        self.notes += [
            f"{entry.name}: the field {key} of {view.params.name} was left out" for key in known.unread
        ]
        self._note_ones(entry, known.attrs)
        tensors = self._tops(entry, row, bottoms, known.made)
        self._add(
            entry, known.kind or UNKNOWN, known.attrs, inputs, tensors,
            blobs=known.blobs, native=known.native, problem=known.problem or row.why,
        )  # fmt: skip
        if row.note:
            self.notes.append(f"{entry.name}: {row.note}")

    def _known(self, view: View, row: Row, inputs: list[int]) -> Known:
        """Return a row's description of a layer; ``inputs`` become the operands of its kind.

        A network repeats a few blocks many times: layers of one type with equal fields and inputs have one
        description. An operand that is a view of a bottom is a tensor of each layer's own.
        """
        alike = (view.entry.type, view.tops, view.shapes, view.params.spelling())
        found = self.known.get(alike)
        if found is None:
            found = self._describe(view, row, inputs)
            if found.order is not None:
                self.known[alike] = found
        elif found.order is not None:
            inputs[:] = [inputs[i] for i in found.order]
        return found

    def _describe(self, view: View, row: Row, inputs: list[int]) -> Known:
        entry, bottoms = view.entry, tuple(inputs)
        kind = row.kind(view) if callable(row.kind) else row.kind
        native = {**own_fields(entry, row.params), **facts(view, row)}
        attrs: Attrs = {}
        blobs: tuple[Blob, ...] = ()
        try:
            attrs, blobs = row.attrs(view), row.blobs(view)
            operands = (
                tuple(map(Operand, range(len(bottoms)))) if row.operands is None else row.operands(view)
            )
            inputs[:] = [self._operand(bottoms, operand) for operand in operands]
            view.all_shapes()
            made = self._made(view, row, kind, attrs, inputs)
        except Unshaped:
            tensor = self._unshaped(bottoms)
            problem = f"its input has no shape: {self.culprits[tensor]} above it is unknown"
            return Known(kind, attrs, blobs, (None,) * view.tops, native, problem)
        views = any(operand.shape is not None for operand in operands)
        order = None if views else tuple(operand.bottom for operand in operands)
        return Known(kind, attrs, blobs, made, native, unread=unread(view), order=order)

    def _note_ones(self, entry: Entry, attrs: Attrs) -> None:
        size = attrs.get("kernel")
        if "clip" in attrs and not attrs["clip"] and isinstance(size, tuple) and 1 in size:
            self.ones.append(entry.name)

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
        """Return the shapes of a layer's outputs: by its kind's rule, else by its row's."""
        entry = view.entry
        if kind is None or row.tops is not None:
            made = [] if row.tops is None else list(row.tops(view))
        else:
            made = list(self.builder.infer(kind, attrs, inputs, entry.where))
        if len(made) < view.tops and row.more_tops is not None:
            made += (made[0] if shape is None else shape for shape in row.more_tops(view))
        if row.restore is not None:
            made = list(row.restore(view, tuple(made)))
        if row.labels != MANY:
            made += [None] * (view.tops - len(made))
        if view.tops and len(made) != view.tops:
            raise ForeignError(str(entry.error(f"has {view.tops} tops, it makes {len(made)}")))
        return made

    def _unshaped(self, bottoms: Sequence[int]) -> int:
        return next(tensor for tensor in bottoms if self.builder.tensors[tensor].shape is None)

    def _tops(
        self, entry: Entry, row: Row, bottoms: Sequence[int], made: Sequence[Shape | None]
    ) -> list[int]:
        """Add a layer's outputs; in place, or under another shape, it is its bottom's memory."""
        tensors = []
        for i, shape in enumerate(made):
            in_place = entry.bottoms[i : i + 1] == entry.tops[i : i + 1] != ()
            if in_place or (row.shares and bottoms):
                tensors.append(self._alias(bottoms[i if in_place else 0], shape))
            else:
                tensors.append(self.builder.tensor(shape))
        return tensors

    def _add(  # noqa: PLR0913  (the parts of a layer)
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
        own = own_fields(entry) if native is None else native
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
                self.blobs.unused[f"{entry.name} (automatic {i})"] = tensor
                continue
            name = entry.tops[i]
            in_place = entry.bottoms[i : i + 1] == (name,)
            if name in self.blobs.made and not in_place:
                raise entry.error(f"makes the blob {name!r}, which {self.blobs.makers[name]} makes already")
            self.blobs.register(name, tensor, f"layer {entry.name!r} (line {entry.message.line})")

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

    def _is_open(self, tensor: int) -> bool:
        return self.builder.tensors[tensor].shape is None

    def _shape(self, tensor: int) -> Shape:
        shape = self.builder.tensors[tensor].shape
        return () if shape is None else shape
