"""Operators that hold graphs, If, Loop and Scan, and functions of the file.

Executed parts are read: the branch that a known condition selects, a body as often as a known count. Work
that depends on data is unknown, unless both branches do the same work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger_onnx.control.branches import branches
from flopledger_onnx.control.containers import called, declared, sizes_of
from flopledger_onnx.control.loops import loop, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flopledger_onnx.control.containers import Tracer
    from flopledger_onnx.names import Job, Scope
    from flopledger_onnx.node import Call

__all__ = ["JOBS", "called", "declared", "sizes_of"]

JOBS: Mapping[str, Callable[[Tracer, Call, Scope], Job]] = {"If": branches, "Loop": loop, "Scan": scan}
