"""The names that the author of a frontend imports: all of it from here, each name found when it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.lazy import offer

if TYPE_CHECKING:
    from flopledger import bounded, gc_pause, input_files
    from flopledger.dims.arithmetic import (
        ceildiv,
        equal,
        extent,
        floordiv,
        is_dim,
        is_symbolic,
        maximum,
        minimum,
        plain,
        plain_shape,
        product,
        substitute,
        symbol,
        symbol_names,
        text,
        total,
        truncate,
    )
    from flopledger.dims.types import SYMBOL, Dim, Number, Shape, Symbolic
    from flopledger.errors import (
        FlopledgerError,
        GraphError,
        ShapeError,
        SourceError,
        Unbounded,
        UsageError,
        nearest,
        shown,
    )
    from flopledger.expressions import einsum
    from flopledger.frontend import native_state, weights_alone
    from flopledger.frontend.arguments import check_arguments, spec_dtype, split_values
    from flopledger.frontend.builder import Checkpoint, GraphBuilder
    from flopledger.frontend.description import Frontend, sources_beside, type_names
    from flopledger.frontend.exported import arrays
    from flopledger.frontend.exported.arrays import Array, Item, scalar, vector
    from flopledger.frontend.exported.call import OperatorCall
    from flopledger.frontend.exported.open_sizes import OpenSizes, assigned, given, writable
    from flopledger.frontend.exported.operands import Constant, Operand, list_of, unlisted
    from flopledger.frontend.exported.reading import file_of, graph_of, reading_alone
    from flopledger.frontend.exported.recording import (
        Recording,
        constants_of,
        inputs_of,
        outputs_of,
        step_of,
        unknown,
    )
    from flopledger.frontend.exported.records import Record, shapes_by_rule, work
    from flopledger.frontend.exported.rules import (
        dependent,
        divide,
        folded,
        many,
        moved,
        one,
        same,
        several,
        written,
    )
    from flopledger.frontend.exported.scopes import Scopes, split_name
    from flopledger.frontend.exported.steps import (
        WEIGHT,
        WEIGHT_AND_BIAS,
        Attrs,
        Part,
        Passed,
        Row,
        Step,
        Unshaped,
        row,
    )
    from flopledger.frontend.exported.untaken import same_work, shown_work, with_weights
    from flopledger.frontend.exported.weights import Weights, listed
    from flopledger.frontend.forked import read_in_fork
    from flopledger.frontend.hookspecs import hookimpl
    from flopledger.frontend.libraries import check_library_has
    from flopledger.frontend.member import Member
    from flopledger.frontend.parameter_table import ParameterTable
    from flopledger.frontend.program_state import (
        MISSING,
        Namespaces,
        array_items,
        attributes_of,
        contents,
        is_array,
        is_installed,
        keep_array,
        keep_class,
        keep_code,
        keep_table,
        restore_cell,
    )
    from flopledger.frontend.reached_state import ReachedState
    from flopledger.frontend.registered_modules import Registered
    from flopledger.frontend.request import PROFILE, Request
    from flopledger.frontend.shape_inference import reshape
    from flopledger.frontend.specs import InputSpec, Nested, gather, parse_spec
    from flopledger.frontend.type_of import bases_of, is_a, namespace_of, offers, table_of
    from flopledger.frontend.views import Views
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import (
        BUFFER_ROLES,
        CONTAINER,
        UNKNOWN,
        Input,
        Layer,
        Level,
        Module,
        Parameter,
        Reading,
        Tensor,
        TensorRef,
        Value,
    )
    from flopledger.kinds import Attribute, Call, Facts, Kind, Parts, builtin
    from flopledger.kinds.activation import PER_ELEMENT
    from flopledger.kinds.axes import differ
    from flopledger.kinds.kind import same_shape
    from flopledger.lazy import kinds
    from flopledger.records import dataclass

__all__ = [
    "BUFFER_ROLES",
    "CONTAINER",
    "MISSING",
    "PER_ELEMENT",
    "PROFILE",
    "SYMBOL",
    "UNKNOWN",
    "WEIGHT",
    "WEIGHT_AND_BIAS",
    "Array",
    "Attribute",
    "Attrs",
    "Call",
    "Checkpoint",
    "Constant",
    "Dim",
    "Facts",
    "FlopledgerError",
    "Frontend",
    "Graph",
    "GraphBuilder",
    "GraphError",
    "Input",
    "InputSpec",
    "Item",
    "Kind",
    "Layer",
    "Level",
    "Member",
    "Module",
    "Namespaces",
    "Nested",
    "Number",
    "OpenSizes",
    "Operand",
    "OperatorCall",
    "Parameter",
    "ParameterTable",
    "Part",
    "Parts",
    "Passed",
    "ReachedState",
    "Reading",
    "Record",
    "Recording",
    "Registered",
    "Request",
    "Row",
    "Scopes",
    "Shape",
    "ShapeError",
    "SourceError",
    "Step",
    "Symbolic",
    "Tensor",
    "TensorRef",
    "Unbounded",
    "Unshaped",
    "UsageError",
    "Value",
    "Views",
    "Weights",
    "array_items",
    "arrays",
    "assigned",
    "attributes_of",
    "bases_of",
    "bounded",
    "builtin",
    "ceildiv",
    "check_arguments",
    "check_library_has",
    "constants_of",
    "contents",
    "dataclass",
    "dependent",
    "differ",
    "divide",
    "einsum",
    "equal",
    "extent",
    "file_of",
    "floordiv",
    "folded",
    "gather",
    "gc_pause",
    "given",
    "graph_of",
    "hookimpl",
    "input_files",
    "inputs_of",
    "is_a",
    "is_array",
    "is_dim",
    "is_installed",
    "is_symbolic",
    "keep_array",
    "keep_class",
    "keep_code",
    "keep_table",
    "kinds",
    "list_of",
    "listed",
    "many",
    "maximum",
    "minimum",
    "moved",
    "namespace_of",
    "native_state",
    "nearest",
    "offers",
    "one",
    "outputs_of",
    "parse_spec",
    "plain",
    "plain_shape",
    "product",
    "read_in_fork",
    "reading_alone",
    "reshape",
    "restore_cell",
    "row",
    "same",
    "same_shape",
    "same_work",
    "scalar",
    "several",
    "shapes_by_rule",
    "shown",
    "shown_work",
    "sources_beside",
    "spec_dtype",
    "split_name",
    "split_values",
    "step_of",
    "substitute",
    "symbol",
    "symbol_names",
    "table_of",
    "text",
    "total",
    "truncate",
    "type_names",
    "unknown",
    "unlisted",
    "vector",
    "weights_alone",
    "with_weights",
    "work",
    "writable",
    "written",
]

_HOMES = {
    "flopledger.dims.arithmetic": (
        "ceildiv equal extent floordiv is_dim is_symbolic maximum minimum plain plain_shape product "
        "substitute symbol symbol_names text total truncate"
    ),
    "flopledger.dims.types": "Dim Number SYMBOL Shape Symbolic",
    "flopledger.errors": (
        "FlopledgerError GraphError ShapeError SourceError Unbounded UsageError nearest shown"
    ),
    "flopledger.frontend.arguments": "check_arguments spec_dtype split_values",
    "flopledger.frontend.builder": "Checkpoint GraphBuilder",
    "flopledger.frontend.description": "Frontend sources_beside type_names",
    "flopledger.frontend.exported.arrays": "Array Item scalar vector",
    "flopledger.frontend.exported.call": "OperatorCall",
    "flopledger.frontend.exported.open_sizes": "OpenSizes assigned given writable",
    "flopledger.frontend.exported.operands": "Constant Operand list_of unlisted",
    "flopledger.frontend.exported.reading": "file_of graph_of reading_alone",
    "flopledger.frontend.exported.recording": "Recording constants_of inputs_of outputs_of step_of unknown",
    "flopledger.frontend.exported.records": "Record shapes_by_rule work",
    "flopledger.frontend.exported.rules": "dependent divide folded many moved one same several written",
    "flopledger.frontend.exported.scopes": "Scopes split_name",
    "flopledger.frontend.exported.steps": "Attrs Part Passed Row Step Unshaped WEIGHT WEIGHT_AND_BIAS row",
    "flopledger.frontend.exported.untaken": "same_work shown_work with_weights",
    "flopledger.frontend.exported.weights": "Weights listed",
    "flopledger.frontend.forked": "read_in_fork",
    "flopledger.frontend.hookspecs": "hookimpl",
    "flopledger.frontend.libraries": "check_library_has",
    "flopledger.frontend.member": "Member",
    "flopledger.frontend.parameter_table": "ParameterTable",
    "flopledger.frontend.program_state": (
        "MISSING Namespaces array_items attributes_of contents is_array is_installed keep_array "
        "keep_class keep_code keep_table restore_cell"
    ),
    "flopledger.frontend.reached_state": "ReachedState",
    "flopledger.frontend.registered_modules": "Registered",
    "flopledger.frontend.request": "PROFILE Request",
    "flopledger.frontend.shape_inference": "reshape",
    "flopledger.frontend.specs": "InputSpec Nested gather parse_spec",
    "flopledger.frontend.type_of": "bases_of is_a namespace_of offers table_of",
    "flopledger.frontend.views": "Views",
    "flopledger.graph.graph": "Graph",
    "flopledger.graph.tables": (
        "BUFFER_ROLES CONTAINER Input Layer Level Module Parameter Reading Tensor TensorRef UNKNOWN Value"
    ),
    "flopledger.kinds": "Attribute Call Facts Kind Parts builtin",
    "flopledger.kinds.activation": "PER_ELEMENT",
    "flopledger.kinds.axes": "differ",
    "flopledger.kinds.kind": "same_shape",
    "flopledger.lazy": "kinds",
    "flopledger.records": "dataclass",
}
"""The modules that the names come from."""
_MODULES = {
    "bounded": "flopledger.bounded:",
    "einsum": "flopledger.expressions.einsum:",
    "arrays": "flopledger.frontend.exported.arrays:",
    "native_state": "flopledger.frontend.native_state:",
    "weights_alone": "flopledger.frontend.weights_alone:",
    "gc_pause": "flopledger.gc_pause:",
    "input_files": "flopledger.input_files:",
}
"""Modules that are offered as a whole, by the names that frontends have for them."""

__getattr__, __dir__ = offer(
    __name__, {name: home for home, names in _HOMES.items() for name in names.split()} | _MODULES
)
