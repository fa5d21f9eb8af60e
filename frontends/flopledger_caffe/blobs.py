"""The blobs of a network by name: which layer made each, which are outputs, and which one is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import nearest

from flopledger_caffe.remedies import example, top_example, way

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.frontend import GraphBuilder, Shape

    from flopledger_caffe.inputs import Specs
    from flopledger_caffe.text.message import Message
    from flopledger_caffe.text.net import Entry, State


class Blobs:
    """The blobs that are made so far; ``later`` are the layers still to be read, the next one last."""

    def __init__(
        self, root: Message, state: State, specs: Specs, builder: GraphBuilder, known: Mapping[str, str]
    ) -> None:
        self.root, self.state, self.specs, self.builder, self.known = root, state, specs, builder, known
        self.made: dict[str, int] = {}
        self.unused: dict[str, int] = {}
        self.makers: dict[str, str] = {}
        self.later: list[Entry] = []
        self.notes: list[str] = []

    def register(self, name: str, tensor: int, maker: str) -> None:
        """Add a blob, which is an output until a layer reads it."""
        self.made[name] = self.unused[name] = tensor
        self.makers[name] = maker

    def input(self, name: str, shape: Shape | None) -> int | None:
        """Add an input, of the shape that the user gives or else of this one; None where there is neither."""
        spec = self.specs.take(name)
        if spec is not None and spec.shape is not None:
            return self.builder.input(name, spec.shape, spec.dtype or "float32")
        return None if shape is None else self.builder.input(name, shape)

    def bottoms(self, entry: Entry, labels: int) -> list[int]:
        """Return the blobs that a layer reads; a label made by no layer is left out, as unneeded."""
        found = []
        for i, name in enumerate(entry.bottoms):
            if i >= labels and not self._is_made(name, entry):
                remedy = way(self.root, self.state, self.known, name)
                self.notes.append(
                    f"{entry.name}: its label {name!r} was left out, no layer makes it; real Caffe would "
                    f"refuse that{remedy}"
                )
                continue
            found.append(self.bottom(name, entry))
        return found

    def _is_made(self, name: str, entry: Entry) -> bool:
        return name in self.made or name in self.specs.named or name in self._later_tops(entry)

    def _later_tops(self, entry: Entry) -> set[str]:
        return {top for later in (entry, *self.later) for top in later.tops}

    def bottom(self, name: str, entry: Entry) -> int:
        """Return a blob that a layer reads.

        Raises:
            SourceError: No layer before it makes the blob.
        """
        if name in self.made:
            self.unused.pop(name, None)
            return self.made[name]
        if name in self.specs.named and name not in self._later_tops(entry):
            # A part of a network, whose data layer is elsewhere: the value given for its blob is its input.
            tensor = self.input(name, None)
            if tensor is not None:
                self.register(name, tensor, "the inputs given")
                return self.bottom(name, entry)
        for later in (entry, *reversed(self.later)):
            if name in later.tops:
                which = "itself" if later is entry else f"layer {later.name!r} (line {later.message.line})"
                raise entry.error(
                    f"needs the blob {name!r}, which no earlier layer makes, only {which}: a cycle"
                )
        remedy = way(self.root, self.state, self.known, name)
        where = f" in the phase {self.state.phase}" if remedy else ""
        guess = remedy or nearest(name, self.made) or f"; if it is an input,{top_example(name)[1:]}"
        raise entry.error(f"needs the blob {name!r}, which no layer makes{where}{guess}")

    def remedy(self, name: str, entry: Entry | None = None) -> str:
        """Describe how to give a shape, and list the given ones whose name no blob has."""
        known = {*self.made, *self.root.texts("input"), *(entry.tops if entry else ())}
        known.update(top for later in self.later for top in later.tops)
        lost = [given for given in self.specs.named if given not in known]
        hints = (
            f"; a shape is given for {given!r}, which is not there{nearest(given, known)}" for given in lost
        )
        return example(self.root, self.known, name, entry) + "".join(hints)
