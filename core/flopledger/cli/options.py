"""The options that several commands share: how a source is read, and which conventions are used."""

from __future__ import annotations

import ast
import contextlib
import functools
import math
import re
from dataclasses import field
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar, cast

import click

from flopledger.cli import completion, output
from flopledger.errors import UsageError, nearest, shown
from flopledger.reading import noise
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from flopledger.conventions.convention import Convention
    from flopledger.devices.device import Device
    from flopledger.graph.graph import Graph
    from flopledger.reading.read import Readings
    from flopledger.reading.shared import Shared

F = TypeVar("F", bound="Callable[..., Any]")

SIZE = re.compile(r"([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*([KMGT]?)(?:I?B)?\Z", re.IGNORECASE)
SCALES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class Size(click.ParamType[int]):
    """A number of bytes, with K, M, G or T for powers of 1024."""

    name = "bytes"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a size such as ``512M``."""
        if isinstance(value, int):
            return value
        match = SIZE.match(str(value))
        if match is None:
            self.fail(
                f"{shown(value)} is not a size; expected a number of bytes, as in 512M or 4G", param, ctx
            )
        return int(Fraction(match[1]) * SCALES[match[2].upper()])


class Name(click.Choice[str]):
    """One of several names; of a wrong one, the nearest is named."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return click's message, with the name that may be meant."""
        said: str = super().get_invalid_choice_message(value, ctx)
        return said.removesuffix(".") + (nearest(str(value), self.choices) or ".")


class Seconds(click.FloatRange):
    """A time in seconds, more than 0 and a finite number; the reading itself checks the upper limit."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a time such as ``90`` or ``0.5``."""
        found = float(super().convert(value, param, ctx))
        if not math.isfinite(found):
            self.fail(f"{shown(value)} is not a number of seconds, as in 90 or 0.5", param, ctx)
        return found


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
        help="The parameters that alone are trained; may be repeated.",
    ),
    click.option(
        "--recompute", metavar="PATTERN", multiple=True,
        help="Modules that the backward computes again (checkpoints); may be repeated.",
    ),
    click.option(
        "--grad-inputs", metavar="NAME,...", help="Inputs of which a gradient is asked, or all."
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


def output_option(
    command: F, words: str = "Write to a file instead of stdout.", *, required: bool = False
) -> F:
    """Add the option for the file of the result, which may be none of the files that the command reads."""
    run: Callable[..., Any] = command

    @functools.wraps(command)
    def checked(**params: Any) -> None:
        output.spare(params["output"], params)
        run(**params)

    option = click.option(
        "-o", "output", metavar="FILE", required=required, shell_complete=completion.files, help=words
    )
    return option(cast("F", checked))


def switches_option(words: str = "Change a decision of the convention.") -> Callable[[F], F]:
    """Return the option that changes documented decisions."""
    return click.option(
        "--set",
        "switches",
        metavar="KEY=VALUE",
        multiple=True,
        shell_complete=completion.switches,
        help=words,
    )


def format_option(formats: Sequence[str], words: str = "How the result is written.") -> Callable[[F], F]:
    """Return the option for the format of the result."""
    return click.option(
        "--format", "form", type=Name(formats), default="table", show_default=True, help=words
    )


def dtypes_option(kinds: str) -> Callable[[F], F]:
    """Return the option for types in memory; its value is for :func:`typed`."""
    words = f"Types in memory, where they are not the model's own: {kinds}."
    return click.option("--dtype", "dtypes", metavar="WHAT=DTYPE,...", help=words)


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
        """Return what is given, as a list has it: all but inputs, arguments, frontend and limits."""
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


def device_option(command: F) -> F:
    """Add the option for a device, whose time is bounded."""
    return click.option(
        "--device", metavar="NAME|FILE", shell_complete=completion.devices,
        help="Bound the time on a device from below: h100-sxm, or a file such as ./mine.toml.",
    )(command)  # fmt: skip


def load_device(name: str | None) -> Device | None:
    """Load a device by name or file; None where none is given."""
    if name is None:
        return None
    from flopledger.devices import file  # noqa: PLC0415  (few need it)

    return file.load(name)


def load_conventions(names: Sequence[str], switches: Mapping[str, str]) -> list[Convention]:
    """Load conventions; each switch is set on those that have it.

    Raises:
        ConventionError: A convention is unknown or malformed, or no convention has a switch.
    """
    from flopledger.conventions import loader  # noqa: PLC0415  (the help needs none of it)

    found = [loader.load(name) for name in names]
    for name, value in switches.items():
        if not any(name in convention.switches for convention in found):
            found[0].set({name: value})  # raises, and names the switches that there are
    return [c.set({n: v for n, v in switches.items() if n in c.switches}) for c in found]


def typed(given: str | None, kinds: Sequence[str]) -> dict[str, str]:
    """Split ``--dtype WHAT=DTYPE,...``, and check the names of types.

    Raises:
        UsageError: What is typed is none of the kinds, or there is no such type.
    """
    from flopledger.graph.dtypes import bytes_each  # noqa: PLC0415  (the help needs none of it)

    found = pairs("--dtype", tuple(given.split(","))) if given else {}
    for name, dtype in found.items():
        if name not in kinds:
            raise UsageError(f"--dtype {name}={dtype}: {name!r} is none of {', '.join(kinds)}")
        bytes_each(dtype)
    return found


def pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    """Split ``KEY=VALUE`` arguments.

    Raises:
        UsageError: One has no key or no ``=``, or a key is given twice.
    """
    found: dict[str, str] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not (key and equals):
            raise UsageError(f"{option} {pair!r} can't be read; expected KEY=VALUE")
        if key in found:
            raise UsageError(f"{option} {key} is given twice, as {found[key]!r} and {value!r}")
        found[key] = value
    return found


def numbers(option: str, given: tuple[str, ...]) -> dict[str, int]:
    """Split ``NAME=NUMBER`` arguments, the numbers of symbols.

    Raises:
        UsageError: A name is no symbol's, or a number no size.
    """
    if not given:
        return {}
    from flopledger.reading import sizes  # noqa: PLC0415  (the help needs none of it)

    found = pairs(option, given)
    return sizes.checked(
        {name: int(v) if v.isascii() and v.isdigit() and len(v) < 20 else v for name, v in found.items()}
    )


def literals(option: str, given: tuple[str, ...]) -> dict[str, object]:
    """Split ``KEY=VALUE`` arguments; a value is a Python literal, else the text itself."""
    return {key: _literal(value) for key, value in pairs(option, given).items()}


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return text
