"""The node tests of the standard itself: 1,900 models of one operator each, with the shapes that come out.

They are the package onnx's and take half a minute to make, so that they run with --peers.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from flopledger.frontend.request import Request
from flopledger_onnx.read import read_file
from flopledger_onnx.tables.movement import DEPENDENT

if TYPE_CHECKING:
    from pathlib import Path

MOST = 4
"""Inputs of so few elements are given as constants: most are axes, sizes and scales."""
EXPECTED_UNKNOWN = {*DEPENDENT, "NonZero", "Loop", "Scan", "If", "SequenceInsert"}


def test_every_shape_is_that_of_the_standard(tmp_path: Path, *, ask_peers: bool) -> None:
    if not ask_peers:
        pytest.skip("making the node tests of the package onnx takes half a minute: run with --peers")
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        cases = collect_testcases(None)
    different, surprising, checked = {}, {}, 0
    for case in cases:
        path = tmp_path / "node.onnx"
        model = given(case)
        path.write_bytes(model.SerializeToString())
        graph = read_file(path, Request(case.name))
        unknown = {layer.source for layer in graph.layers if layer.kind == "unknown"}
        if any(source in EXPECTED_UNKNOWN or source.startswith("ai.onnx.") for source in unknown):
            continue
        if unknown:
            surprising[case.name] = {each.problem for each in graph.layers if each.kind == "unknown"}
        if any(output.type.HasField("sequence_type") for output in model.graph.output):
            continue  # the members of a list are outputs of our graph
        found = [graph.tensors[i].shape for i in graph.outputs]
        wanted = [stated(output) for output in model.graph.output]
        if any(w is not None and f != w for f, w in zip(found, wanted, strict=True)):
            different[case.name] = (found, wanted, unknown)
        checked += 1
    assert {name for name in different if not empty(different[name][1])} == set()
    assert surprising == {}
    assert checked > 1_700


def empty(shapes: list[Any]) -> bool:
    """Whether a size is 0, which is an open one to us."""
    return any(0 in shape for shape in shapes if shape is not None)


def stated(output: Any) -> tuple[int, ...] | None:
    kind = output.type.tensor_type
    if not output.type.HasField("tensor_type") or not kind.HasField("shape"):
        return None
    return tuple(dim.dim_value for dim in kind.shape.dim)


def given(case: Any) -> Any:
    """Return a test's model with its small inputs as constants."""
    import numpy as np
    import onnx

    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    inputs = case.data_sets[0][0] if case.data_sets else []
    for info, array in list(zip(model.graph.input, inputs, strict=False)):
        plain = isinstance(array, (np.ndarray, np.generic)) and np.ndim(array) <= 1
        if plain and (array.dtype.kind in "iub" or array.size <= MOST):
            model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(array), info.name))
            model.graph.input.remove(info)
    return model
