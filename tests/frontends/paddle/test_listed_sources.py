"""The list of the names that calls of Paddle may have; ``--overwrite`` renews it."""

from __future__ import annotations

from inspect import isclass

import framework_sources
import paddle
from framework_sources import public


def is_layer(found: object) -> bool:
    return isclass(found) and issubclass(found, paddle.nn.Layer)


def test_the_list_of_sources_is_that_of_this_version(*, overwrite: bool) -> None:
    names = {"paddle.nn": public(paddle.nn, is_layer), "pd_op": public(paddle._C_ops)}
    framework_sources.check("flopledger_paddle", f"paddle {paddle.__version__}", names, overwrite=overwrite)
