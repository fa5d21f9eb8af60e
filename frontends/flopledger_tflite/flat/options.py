"""The fields of operators' attributes, by the number of their type: the schema's ``BuiltinOptions``.

The fields of a type are in the order of their numbers: a name, its type as the module ``struct`` calls it,
``s`` for a vector of it, and a default that is not 0. Types without fields, or with none that a count
needs, are left out. Source: schema.fbs of TensorFlow Lite, version 3.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger_tflite.flat.buffer import Table

_FUSED = "fused:b"
_CONV = "padding:b stride_w:i stride_h:i fused:b dilation_w:i=1 dilation_h:i=1"

FIELDS: Mapping[int, str] = MappingProxyType(
    {
        1: _CONV,
        2: "padding:b stride_w:i stride_h:i multiplier:i fused:b dilation_w:i=1 dilation_h:i=1",
        5: "padding:b stride_w:i stride_h:i filter_w:i filter_h:i fused:b",
        6: "rank:i fused:b",
        7: _FUSED,
        8: "fused:b format:b keep_num_dims:?",
        10: "axis:i fused:b",
        11: _FUSED,
        12: _FUSED,
        13: "radius:i",
        14: "fused:b cell_clip:f proj_clip:f kernel_type:b",
        16: "subgraph:I",
        17: "new_shape:is",
        19: "block_size:i",
        21: _FUSED,
        23: "axis:i batch_dims:i",
        27: "keep_dims:?",
        28: _FUSED,
        29: _FUSED,
        30: "squeeze_dims:is",
        31: "time_major:? fused:b",
        32: "begin_mask:i end_mask:i ellipsis_mask:i new_axis_mask:i shrink_axis_mask:i offset:?",
        35: "num_splits:i",
        49: "padding:b stride_w:i stride_h:i fused:b",
        59: "values_count:i axis:i",
        62: "axis:i",
        64: "num:i axis:i",
        69: "fused:b cell_clip:f proj_clip:f merge_outputs:? time_major:?=1",
        70: "time_major:? fused:b merge_outputs:?",
        71: "fused:b cell_clip:f proj_clip:f time_major:?",
        77: "mode:b",
        79: "num_splits:i",
        87: "seq_dim:i batch_dim:i",
        92: "then_subgraph_index:i else_subgraph_index:i",
        93: "cond_subgraph_index:i body_subgraph_index:i",
        94: "block_size:i",
        101: "adj_x:? adj_y:?",
        103: "init_subgraph_index:i",
        106: (
            "padding:b stride_d:i stride_w:i stride_h:i fused:b dilation_d:i=1 dilation_w:i=1 dilation_h:i=1"
        ),
        111: "container:text shared_name:text",
        116: "approximate:?",
    }
)

FIELDS_2: Mapping[int, str] = MappingProxyType(
    {
        1: "dimension:q",
        2: "broadcast_dimensions:qs",
        3: "start_indices:qs limit_indices:qs strides:qs",
        4: (
            "window_strides:qs padding:qs lhs_dilation:qs rhs_dilation:qs window_reversal:?s "
            "input_batch_dimension:q input_feature_dimension:q input_spatial_dimensions:qs "
            "kernel_input_feature_dimension:q kernel_output_feature_dimension:q kernel_spatial_dimensions:qs "
            "output_batch_dimension:q output_feature_dimension:q output_spatial_dimensions:qs "
            "feature_group_count:q batch_group_count:q"
        ),
        5: "call_target_name:text",
        6: "dimensions:qs body_subgraph_index:i",
        9: "slice_sizes:qs",
        10: "edge_padding_low:qs edge_padding_high:qs interior_padding:qs",
        11: "iota_dimension:q",
        12: (
            "lhs_batching_dimensions:qs rhs_batching_dimensions:qs lhs_contracting_dimensions:qs "
            "rhs_contracting_dimensions:qs"
        ),
        13: (
            "window_dimensions:qs window_strides:qs base_dilations:qs window_dilations:qs padding:qs "
            "body_subgraph_index:i"
        ),
        14: "dimension:q is_stable:?",
        15: "cond_subgraph_index:i body_subgraph_index:i",
        17: "permutation:qs",
        20: "reduce_function:i",
        21: "name:text decomposition_subgraph_index:i",
        23: "branch_subgraph_indices:is",
    }
)
"""The later table of types, ``BuiltinOptions2``: those of StableHLO's operators."""


def options_of(fields: str, table: Table) -> dict[str, int | float | str | tuple[int, ...] | None]:
    """Return the values of a table of attributes."""
    found: dict[str, int | float | str | tuple[int, ...] | None] = {}
    for number, each in enumerate(fields.split()):
        name, _, form = each.partition(":")
        code, _, default = form.partition("=")
        if code == "text":
            found[name] = table.text(number)
        elif code == "f":
            found[name] = table.real(number)
        elif code.endswith("s"):
            found[name] = table.numbers(number, code[0])
        else:
            found[name] = int(table.whole(number, code, int(default or 0)))
    return found
