"""The list of the names that calls of Keras may have; ``--overwrite`` renews it."""

from __future__ import annotations

from inspect import isclass

import framework_sources
import keras
from framework_sources import public


def test_the_list_of_sources_is_that_of_this_version(*, overwrite: bool) -> None:
    names = {
        "keras.layers": public(keras.layers, isclass),
        "keras.ops": public(keras.ops),
        "keras.models": ["Functional", *public(keras.models, isclass)],
    }
    framework_sources.check("flopledger_keras", f"keras {keras.__version__}", names, overwrite=overwrite)
