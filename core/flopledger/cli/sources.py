"""The options that say how a source is read, and the readings that they ask for."""

from __future__ import annotations

import contextlib
from dataclasses import field
from typing import TYPE_CHECKING, TypeVar

import click

from flopledger.cli import completion
from flopledger.cli.values import Seconds, Size, literals, numbers
from flopledger.errors import UsageError
from flopledger.reading import noise
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from flopledger.graph.graph import Graph
    from flopledger.reading.read import Readings
    from flopledger.reading.shared import Shared

F = TypeVar("F", bound="Callable[..., Any]")


_SOURCE_OPTIONS = (
    click.option(
        "-i", "--input", "inputs", metavar="SPEC", multiple=True,
        help="One for each input: 1x3x224x224, ids=1x128:int64, Nx3xHxW (capitals are symbols).",
    ),
    click.option(
        "--size", "sizes", metavar="NAME=NUMBER", multiple=True,
        help="A number for a symbol, of an input or of a size that the data decides; may be repeated.",
    ),
    click.option(
        "--inputs", "inputs_from", metavar="FILE.py:MAKE", shell_complete=completion.files,
        help="A function that makes the inputs.",
    ),
    click.option(
        "--arg", "arguments", metavar="KEY=VALUE", multiple=True,
        help="An argument of the class or function that makes the model: a Python literal, else a text.",
    ),
    click.option(
        "--frontend", metavar="NAME", shell_complete=completion.frontends,
        help="The frontend that reads, where several can.",
    ),
    click.option(
        "--mode", type=click.Choice(["eval", "train"]),
        help="Read the network as it infers (the default for what is built here) or as it trains.",
    ),
    click.option(
        "--phase", type=click.Choice(["test", "train"], case_sensitive=False), help="Caffe's phase."
    ),
    click.option("--stage", "stages", metavar="STAGE", multiple=True, help="A stage of Caffe's."),
    click.option("--level", type=int, metavar="N", help="Caffe's level, 0 unless the file has another."),
    click.option("--seq", metavar="S", help="New tokens of a language model's step: a number or a symbol."),
    click.option("--past", metavar="P", help="The tokens before them, which the step finds in its cache."),
    click.option("--batch", metavar="B", help="The sequences that the step reads at once. Default: 1."),
    click.option("--last-logits", is_flag=True, help="Make the logits of the last token alone."),
    click.option(
        "--step", type=click.Choice(["forward", "train"]),
        help="Read a forward pass (the default) or a training step with its gradients.",
    ),
    click.option(
        "--freeze", metavar="PATTERN", multiple=True,
        help="Parameters that are not trained: layer1, *.bias; may be repeated.",
    ),
    click.option(
        "--train-only", metavar="PATTERN", multiple=True,
        help="The only parameters that are trained; may be repeated.",
    ),
    click.option(
        "--recompute", metavar="PATTERN", multiple=True,
        help="Modules that the backward computes again (checkpoints); may be repeated.",
    ),
    click.option(
        "--grad-inputs", metavar="NAME,...", help="Inputs to compute gradients of, or all."
    ),
    click.option("--execute", is_flag=True, help="Really run the network, on small tensors."),
    click.option(
        "--timeout", type=Seconds(min=0, min_open=True), metavar="SECONDS",
        help="Stop reading in a child process after this time.",
    ),
    click.option(
        "--memory-limit", type=Size(), metavar="BYTES",
        help="Memory for a child process, as in 512M or 4G; else half of the machine, and 4G at least.",
    ),
    click.option(
        "--verbose", is_flag=True, expose_value=False, callback=lambda _context, _option, given: _tell(given),
        help="Pass on what the framework and the model's code print while it is read.",
    ),
)  # fmt: skip


def _tell(given: bool) -> None:  # noqa: FBT001  (click calls it so)
    if given:
        noise.show()


def source_options(command: F) -> F:
    """Add the options for reading a source; see :meth:`SourceOptions.taken_from`."""
    for option in reversed(_SOURCE_OPTIONS):
        command = option(command)
    return command


_PLAIN = (
    "mode", "step", "seq", "past", "batch", "last_logits", "freeze", "train_only", "recompute", "grad_inputs",
    "sizes", "phase", "stages", "level", "execute",
)  # fmt: skip

_TRAINING = ("freeze", "train_only", "recompute", "grad_inputs")


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """The options of the command line for reading a source."""

    inputs: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    inputs_from: str | None = None
    arguments: Mapping[str, object] = field(default_factory=dict)
    frontend: str | None = None
    mode: str | None = None
    phase: str | None = None
    stages: tuple[str, ...] = ()
    level: int | None = None
    seq: str | None = None
    past: str | None = None
    batch: str | None = None
    last_logits: bool = False
    step: str | None = None
    freeze: tuple[str, ...] = ()
    train_only: tuple[str, ...] = ()
    recompute: tuple[str, ...] = ()
    grad_inputs: str | None = None
    execute: bool = False
    timeout: float | None = None
    memory_limit: int | None = None

    @classmethod
    def taken_from(cls, params: dict[str, Any]) -> SourceOptions:
        """Remove the source options from a command's parameters, and keep the others."""
        taken = {name: params.pop(name) for name in cls.__dataclass_fields__}
        from flopledger.frontend.specs import refuse_shape  # noqa: PLC0415  (the help needs none of it)

        refuse_shape("--inputs", taken["inputs_from"], "-i")
        if taken["inputs"] and taken["inputs_from"]:
            raise UsageError("-i and --inputs are both given; give specs or a function that makes them")
        taken["arguments"] = literals("--arg", taken["arguments"])
        taken["sizes"] = numbers("--size", taken["sizes"])
        return cls(**taken)

    def plain(self) -> dict[str, object]:
        """Return the options as lists of networks have them: no inputs, arguments, frontend or limits."""
        named = {"stages": "stage", "sizes": "size"}
        found = {named.get(name, name): getattr(self, name) for name in _PLAIN}
        found["grad_inputs"] = tuple(self.grad_inputs.split(",")) if self.grad_inputs else ()
        return {
            name: value for name, value in found.items() if value not in (None, (), {}) and value is not False
        }

    def readings(
        self, source: str, shared: Shared | None = None, *, weights_suffice: bool = False
    ) -> Readings:
        """Return a reader of a source, for one profile after another; ``--mode`` overrides them."""
        from flopledger.frontend.request import Request  # noqa: PLC0415  (the help needs none of it)
        from flopledger.frontend.specs import parse_spec  # noqa: PLC0415
        from flopledger.reading.read import Readings  # noqa: PLC0415

        given: dict[str, object] = {"phase": self.phase, "stage": self.stages or None, "level": self.level}
        given |= {**self.language(), **self._training()}
        request = Request(
            source=source,
            inputs=tuple(map(parse_spec, self.inputs)),
            inputs_from=self.inputs_from or "",
            arguments=self.arguments,
            profile={key: value for key, value in (("mode", self.mode), ("step", self.step)) if value},
            options={name: value for name, value in given.items() if value is not None},
            execute=self.execute,
            frontend=self.frontend,
            timeout=self.timeout,
            memory_limit=self.memory_limit,
            sizes=self.sizes,
            weights_suffice=weights_suffice,
        )
        return Readings(source, request, shared)

    def _training(self) -> dict[str, object]:
        """Return the options for a training step."""
        return {name: value for name, value in self.plain().items() if name in _TRAINING}

    def language(self) -> dict[str, object]:
        """Return the options for a step of a language model; a past of 0 tokens is none."""
        from flopledger.frontend.specs import parse_size  # noqa: PLC0415  (the help needs none of it)

        past = None if self.past == "0" else self.past
        sizes = {"seq": self.seq, "past": past, "batch": self.batch}
        found = {name: None if size is None else parse_size(size) for name, size in sizes.items()}
        chosen = {**found, "last_logits": self.last_logits or None}
        return {name: value for name, value in chosen.items() if value is not None}

    def read(
        self,
        source: str,
        profile: Mapping[str, object],
        shared: Shared | None = None,
        *,
        weights_suffice: bool = False,
    ) -> Graph:
        """Read a source under one profile."""
        with self.readings(source, shared, weights_suffice=weights_suffice) as readings:
            return readings.read(profile)


def shared_by(sources: Sequence[str]) -> AbstractContextManager[Shared | None]:
    """Return a reader of several sources with one import of a framework; nothing for a single one.

    Files of formats that are read in place need neither.
    """
    if len(sources) < 2:
        return contextlib.nullcontext()
    from flopledger.reading.shared import Shared  # noqa: PLC0415  (the help needs none of it)

    return Shared()
