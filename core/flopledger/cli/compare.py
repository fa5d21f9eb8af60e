"""``flopledger compare``: two networks side by side."""

from __future__ import annotations

import itertools
import threading
from dataclasses import field, replace
from typing import TYPE_CHECKING

import click

from flopledger.cli import completion, messages
from flopledger.cli.options import format_option, load_conventions, output_option, switches_option
from flopledger.cli.output import room, warnings, write
from flopledger.cli.progress import progress
from flopledger.cli.sources import SourceOptions, shared_by, source_options
from flopledger.cli.values import literals, numbers, pairs
from flopledger.dims import is_symbolic, text
from flopledger.errors import SourceError, UsageError
from flopledger.records import dataclass
from flopledger.report import ANSWER_FORMATS, PAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from flopledger.comparing.comparison import Comparison
    from flopledger.dims.types import Shape
    from flopledger.frontend.specs import InputSpec
    from flopledger.graph.graph import Graph
    from flopledger.reading.read import Readings

DIFFERENT = 1
"""The exit code where the networks are not equal."""
STEP = 0.2
"""Seconds for which one wait for a thread lasts, so that Ctrl-C is handled between two waits."""

EXAMPLES = """\b
Examples:
  flopledger compare resnet18.prototxt alexnet.prototxt
  flopledger compare paddle.vision.models:resnet50 -i 1x3x224x224 keras.applications:ResNet50
  flopledger compare before.json model.py:Net -j 1x3x224x224
"""


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """The arguments of ``compare``: the sources, the conventions, and the format of the result."""

    a: str
    b: str
    conventions: tuple[str, ...]
    switches: tuple[str, ...]
    layers: bool
    form: str
    output: str | None


@dataclass(slots=True)
class Task:
    """A function call in its own thread: its result, or the exception that it raised."""

    work: Callable[[], Graph]
    result: list[Graph] = field(default_factory=list)
    error: list[BaseException] = field(default_factory=list)

    def __call__(self) -> None:
        """Call the function."""
        try:
            self.result.append(self.work())
        except BaseException as error:  # noqa: BLE001  (it is raised again where the result is asked for)
            self.error.append(error)


@click.command("compare", short_help="Compare two networks.", epilog=EXAMPLES, no_args_is_help=True)
@click.argument("a", metavar="A", shell_complete=completion.files)
@click.argument("b", metavar="B", shell_complete=completion.files)
@source_options
@click.option(
    "-j",
    "inputs_b",
    metavar="SPEC",
    multiple=True,
    help="As -i, for B; either serves the other source too where it has none or leaves sizes open.",
)
@click.option(
    "--inputs-b", "inputs_from_b", metavar="FILE.py:MAKE", shell_complete=completion.files,
    help="As --inputs, for B.",
)  # fmt: skip
@click.option("--size-b", "sizes_b", metavar="NAME=NUMBER", multiple=True, help="As --size, for B.")
@click.option("--arg-b", "arguments_b", metavar="KEY=VALUE", multiple=True, help="As --arg, for B.")
@click.option(
    "--frontend-b", metavar="NAME", shell_complete=completion.frontends, help="As --frontend, for B."
)
@click.option(
    "-c", "--convention", "conventions", metavar="NAME|FILE", multiple=True,
    shell_complete=completion.conventions,
    help="A convention for the totals; may be repeated. Default: mac.",
)  # fmt: skip
@switches_option("Change a decision of the conventions.")
@click.option("--layers", is_flag=True, help="Show the layers that are the same, too.")
@format_option([*ANSWER_FORMATS, PAGE])
@output_option
def command(**params: Any) -> None:
    """Compare two networks, layer by layer; exit with 1 unless they are equal.

    A and B are files, package.module:attribute or file.py:attribute, of any frameworks. Equal means
    that every layer has a counterpart with as many MACs and trainable parameters.
    """
    from flopledger.frontend.specs import refuse_shape  # noqa: PLC0415  (the help needs none of it)
    from flopledger.report import comparison as sidebyside  # noqa: PLC0415  (likewise)

    given = {
        name: params.pop(f"{name}_b") for name in ("inputs", "sizes", "inputs_from", "arguments", "frontend")
    }
    reading_a = SourceOptions.taken_from(params)
    if given["inputs"] and given["inputs_from"]:
        raise UsageError("-j and --inputs-b are both given; give specs or a function that makes them")
    refuse_shape("--inputs-b", given["inputs_from"], "-j")
    given["arguments"] = literals("--arg-b", given["arguments"])
    given["sizes"] = numbers("--size-b", given["sizes"])
    options = CompareOptions(**params)
    with progress(f"comparing {options.a} and {options.b}"):
        found = compare(options, reading_a, replace(reading_a, **given))
        width, _ = room(options.output)
        shown = sidebyside.render(found, options.form, layers=options.layers, width=width)
    write(shown, options.output, gated=options.form == PAGE)
    for line in (*warnings([found.a, found.b]), *open_sizes(found)):
        messages.warn(line)
    if not found.equal:
        raise click.exceptions.Exit(DIFFERENT)


def compare(options: CompareOptions, reading_a: SourceOptions, reading_b: SourceOptions) -> Comparison:
    """Read both sources side by side, and compare them."""
    from flopledger.comparing import comparison  # noqa: PLC0415
    from flopledger.reading import profiles  # noqa: PLC0415

    names = options.conventions or ("mac",)
    loaded = load_conventions(names, pairs("--set", options.switches))
    profile = profiles.profile_for(loaded)
    sources = (options.a, options.b)
    alone = all(convention.weights_suffice for convention in loaded)
    with shared_by(sources) as shared:
        if shared is not None:
            shared.start(sources)
        a, b = together(
            lambda: reading_a.read(options.a, profile, shared, weights_suffice=alone),
            lambda: reading_b.read(options.b, profile, shared, weights_suffice=alone),
        )
        for_a, for_b = (bool(each.inputs or each.inputs_from) for each in (reading_a, reading_b))
        if a.reading.of_weights != b.reading.of_weights:
            a = whole(a, b, reading_a.readings(options.a, shared), profile)
            b = whole(b, a, reading_b.readings(options.b, shared), profile)
        elif for_a and not for_b:
            b = as_given(b, a, reading_b.readings(options.b, shared), profile)
        elif for_b and not for_a:
            a = as_given(a, b, reading_a.readings(options.a, shared), profile)
    return comparison.compare(a, b, *loaded)


def whole(graph: Graph, other: Graph, readings: Readings, profile: Mapping[str, object]) -> Graph:
    """Return a network with the inputs of another, where it was read without any.

    Raises:
        UsageError: They don't fit, and the network needs its own.
    """
    if not graph.reading.of_weights:
        return graph
    from flopledger.frontend.specs import InputSpec  # noqa: PLC0415  (the help needs none of it)

    inputs = tuple(InputSpec("", shape) for shape in shapes(other).values())
    with readings:
        try:
            return readings.read(profile, inputs)
        except (SourceError, UsageError):
            return readings.read(profile)  # which says what it needs


def as_given(graph: Graph, other: Graph, readings: Readings, profile: Mapping[str, object]) -> Graph:
    """Return a network at the sizes of another's inputs, where it leaves sizes open and these fit."""
    inputs = fitting(graph, other)
    if not inputs:
        return graph
    try:
        with readings:
            return readings.read(profile, inputs)
    except (SourceError, UsageError):  # they fit its inputs, and not what it computes of them
        return graph


def fitting(graph: Graph, other: Graph) -> tuple[InputSpec, ...]:
    """Return inputs for a network that leaves sizes open, from those of another; none where they don't fit.

    They fit where there are as many, each with as many axes and the sizes that the network states. Inputs of
    the same names are each other's, whatever their order.
    """
    from flopledger.frontend.specs import InputSpec  # noqa: PLC0415  (the help needs none of it)

    declared, given = shapes(graph), shapes(other)
    if not any(map(is_symbolic, itertools.chain(*declared.values()))) or len(declared) != len(given):
        return ()
    named = declared.keys() == given.keys()
    sizes = [given[name] for name in declared] if named else list(given.values())
    fit = all(itertools.starmap(fits, zip(declared.values(), sizes, strict=True)))
    return tuple(InputSpec("", shape) for shape in sizes) if fit else ()


def fits(declared: Shape, given: Shape) -> bool:
    """Return whether a shape has the sizes of another that are numbers."""
    pairs = itertools.zip_longest(declared, given)
    return len(declared) == len(given) and all(is_symbolic(x) or x == y for x, y in pairs)


def shapes(graph: Graph) -> dict[str, Shape]:
    """Return the shapes of a network's inputs, by name."""
    return {each.name: graph.tensors[each.tensor].shape or () for each in graph.inputs}


def open_sizes(found: Comparison) -> Iterator[str]:
    """Yield a warning where one source leaves sizes open that the other has as numbers.

    Every figure of such a pair differs, by a factor that is a name: an export with an open batch is the most
    common one.
    """
    a, b = (
        list(
            dict.fromkeys(
                text(d) for _, shape, _ in ledger.graph.inputs for d in shape or () if is_symbolic(d)
            )
        )
        for ledger in (found.a, found.b)
    )
    for sizes, others, ledger, option in ((a, b, found.a, "-i"), (b, a, found.b, "-j")):
        if sizes and not others:
            source = ledger.graph.reading.source
            yield f"{source} leaves {', '.join(sizes)} open: give the sizes of its inputs with {option}"


def together(first: Callable[[], Graph], second: Callable[[], Graph]) -> tuple[Graph, Graph]:
    """Read two sources at once, each in a thread; if both fail, raise the error of the first."""
    from flopledger.plugins import discovery as plugins  # noqa: PLC0415

    plugins.registry()  # found once, before there are several threads
    tasks = [Task(first), Task(second)]
    threads = [threading.Thread(target=task, daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread, task in zip(threads, tasks, strict=True):
        while thread.is_alive():
            thread.join(STEP)
        for error in task.error:
            raise error
    return tasks[0].result[0], tasks[1].result[0]
