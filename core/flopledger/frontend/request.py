"""A request to a frontend: a source, and how it is to be read."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flopledger.frontend.specs import InputSpec

GIVEN = "given"
"""The mode of a reading that takes each module in the mode that it is in."""
PROFILE: Mapping[str, tuple[object, ...]] = {
    "mode": ("eval", "train", GIVEN),
    "grad": (True, False),
    "fast_paths": (True, False),
    "sizes": (False, True),
    "step": ("forward", "train", GIVEN),
}
"""The words of a reading's profile, and the values of each; the first is the usual one."""

LANGUAGE: Mapping[str, str] = {
    "seq": "the new tokens of each sequence",
    "past": "the tokens before them, which are in the cache",
    "batch": "the sequences that are read at once; 1 unless it is given",
    "last_logits": "whether the logits of the last token alone are made",
}
"""The options that make the inputs of a language model's step; sizes are numbers or symbols."""

TRAINING: Mapping[str, str] = {
    "freeze": "patterns of the parameters that are not trained",
    "train_only": "patterns of the only parameters that are trained",
    "recompute": "patterns of the modules that a backward computes again",
    "grad_inputs": "names of the inputs to compute gradients of, or all",
}
"""The options for a training step; each is a list of texts."""


@dataclass(frozen=True, slots=True)
class Request:
    """How a source is to be read.

    Attributes:
        source: The source as the user named it.
        inputs: Input specs, parsed; empty where the source states its own.
        values: Input values given as live objects (tensors, arrays), positional and by keyword.
        inputs_from: ``file.py:make`` or ``package.module:make``, a function that returns the values:
            one tensor or array, a tuple of positional ones, or a dict by name.
        arguments: ``--arg`` values for a class or function that makes the model.
        profile: The values that the reading must have: ``mode``, ``grad``, ``fast_paths``, ``sizes``.
        options: Options of single frontends, such as Caffe's ``phase`` and ``stage``.
        execute: Whether the forward may really run, on small tensors.
        frontend: The name of the frontend that reads it; needed only where several can.
        timeout: Seconds that a reading in a child process may take.
        memory_limit: Bytes of address space that a child process may take.
        isolated: Whether a live object is read in a forked child process.
        sizes: Numbers for symbols, by name. Those of inputs and options are in them already; a frontend that
            makes symbols for sizes which the data decides reads with the numbers of these.
        weights_suffice: Whether a network without the inputs that it needs is read for its parameters, with
            all that it computes unknown.
    """

    source: str
    inputs: tuple[InputSpec, ...] = ()
    values: object = None
    inputs_from: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)
    profile: Mapping[str, object] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    execute: bool = False
    frontend: str | None = None
    timeout: float | None = None
    memory_limit: int | None = None
    isolated: bool = False
    sizes: Mapping[str, int] = field(default_factory=dict)
    weights_suffice: bool = False
