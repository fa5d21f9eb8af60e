"""One operator as the table sees it: its attributes by type, on top of its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import OperatorCall

from flopledger_tflite.flat.options import FIELDS, FIELDS_2, options_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flopledger.frontend import Operand, Shape

    from flopledger_tflite.flat.model import Graph, Model, Operator


class Call(OperatorCall):
    """An operator of a graph, with the values of its inputs.

    Attributes:
        graph: The graph that it is in.
        model: The file, for operators that hold graphs.
        stated: The shapes that the file states of the outputs, None where a size is open or the user gives
            other sizes of inputs.
        dtypes: The types of the outputs.
    """

    __slots__ = ("dtypes", "graph", "model", "operator", "options", "stated")

    def __init__(  # noqa: PLR0913  (what an operator is and where it is)
        self,
        model: Model,
        graph: Graph,
        operator: Operator,
        inputs: Sequence[Operand | None],
        *,
        type_: str,
        path: str,
        overridden: bool,
    ) -> None:
        super().__init__(type_, path, inputs, len(operator.outputs))
        self.model, self.graph, self.operator = model, graph, operator
        tensors = [graph.tensors[i] for i in operator.outputs]
        self.stated: list[Shape | None] = [None if overridden else tensor.stated for tensor in tensors]
        self.dtypes = tuple(tensor.dtype for tensor in tensors)
        self.options: dict[str, int | float | str | tuple[int, ...] | None] = {}
        for (number, table), fields in ((operator.options, FIELDS), (operator.options2, FIELDS_2)):
            if table is not None and number in fields:
                self.options.update(options_of(fields[number], table))

    @property
    def where(self) -> str:
        """The operator, for messages."""
        return f"the operator {self.path!r} ({self.type})"

    def input_name(self, index: int) -> str:
        """Return the name of an input, for messages."""
        return self.graph.tensors[self.operator.inputs[index]].name

    def whole(self, name: str, default: int = 0) -> int:
        """Return an attribute that is a whole number; a table without its own defaults has 0."""
        found = self.options.get(name, default)
        return found if isinstance(found, int) else default

    def flag(self, name: str) -> bool:
        """Return an attribute that is true or false."""
        return bool(self.whole(name))

    def wholes(self, name: str) -> tuple[int, ...]:
        """Return an attribute that is a list of whole numbers, an empty one where it is not there."""
        found = self.options.get(name)
        return found if isinstance(found, tuple) else ()

    def output(self, index: int = 0) -> Shape | None:
        """Return the shape that the file states of an output, None where it depends on open sizes."""
        return self.stated[index] if index < len(self.stated) else None
