"""Input specs: ``[NAME=]DIMSxDIMS...[:DTYPE]``, one for each input.

Shapes are also read as Python and its frameworks write them, ``1,3,224,224``, ``(1, 3, 224, 224)`` and
``torch.Size([1, 3, 224, 224])``, and dtypes by the short names of compilers and checkpoints, ``bf16`` and
``i64``, with or without their module, ``torch.float16``.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, TypeAlias

from flopledger.dims.arithmetic import symbol
from flopledger.dims.types import SYMBOL, Dim, Shape
from flopledger.errors import UsageError, nearest
from flopledger.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*|\[[0-9]{1,9}\])*\Z")
_STEP = re.compile(r"\w+")
_DTYPE = re.compile(r"(?:[a-z]+\.)*([a-z][a-z0-9_]*)\Z")
_OPEN = ("None", "?", "-1")
"""How frameworks write a size that is left open."""
_WRAPPED = re.compile(r"(?:[\w.]+\.)?(?:Size|TensorShape)\((.*)\)\Z", re.DOTALL)
_CAPITAL_X = re.compile(r"[0-9]+(?: *X *[0-9]+)+\Z")
"""Numbers with a capital X between them, which could begin a symbol only after a letter."""
_CLOSED = re.compile(r"([)\]]) *(?=[A-WYZa-wyz])")
"""The end of a tuple, with the dtype right after it: ``(1,3)f32``."""
_TUPLE = re.compile(r"\((.*)\)\Z|\[(.*)\]\Z", re.DOTALL)
_SHORT = re.compile(r"(bf|fp|f|i|u)(8|16|32|64)\Z")
_TYPES = {"bf": "bfloat", "fp": "float", "f": "float", "i": "int", "u": "uint"}
_OTHER_TYPES = {"float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int64"}
"""The types that frameworks give to plain numbers, and C's names of types."""
_BITLESS = (*_OTHER_TYPES, "bool", "string")
"""The dtypes whose names have no number of bits."""
_NAMED = (*_OTHER_TYPES.values(), "bfloat16", "bool", "string")
"""The dtypes that a message proposes."""
LARGEST = 2**63
"""The first size that is refused: no framework holds it."""
DEEPEST = 32
"""How deeply an input may be nested in dicts and tuples."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input: its name (empty where positional), its shape and dtype, or a literal value."""

    name: str
    shape: Shape | None
    dtype: str = ""
    literal: object = None
    is_literal: bool = False


Nested: TypeAlias = "InputSpec | dict[str, Nested] | tuple[Nested, ...]"
"""An argument of the network: an input, or a dict or tuple of them."""


def parse_spec(text: str) -> InputSpec:
    """Parse one spec.

    Examples: ``1x3x224x224``, ``1,3,224,224``, ``ids=1x128:int64``, ``ids=(1, 128):i64``, ``Nx3xHxW``,
    ``t=scalar:int64``, ``use_cache=!False``, ``batch.image=1x3x8x8``, ``boxes[0]=5x4``.

    Raises:
        UsageError: The text is not a spec; the message shows an example.
    """
    name, equals, rest = ("", "", text) if text.startswith("!") else text.partition("=")
    if not equals:
        name, rest = "", text
    elif not _NAME.match(name):
        raise _wrong(text, f"{name!r} is not a name")
    if rest.startswith("!"):
        return InputSpec(name, None, literal=_literal(text, rest[1:]), is_literal=True)
    sizes, colon, dtype = _CLOSED.sub(r"\1:", rest, count=1).partition(":")
    sizes_of = () if sizes == "scalar" else tuple(_dim(text, part) for part in _parts(sizes))
    return InputSpec(name, sizes_of, _dtype(text, dtype) if colon else "")


def _dtype(spec: str, text: str) -> str:
    """Return the name of a dtype in any case, of any module: ``bfloat16`` for ``BF16``."""
    written = _DTYPE.match(text.lower())
    if written is None:
        raise _wrong(spec, f"{text!r} is not a dtype")
    name = dtype_name(written[1])
    if name not in _BITLESS and not any(letter.isdigit() for letter in name):
        raise _wrong(spec, f"{text!r} is not a dtype{nearest(name, _NAMED)}")
    return name


def refuse_shape(option: str, given: str | None, instead: str) -> None:
    """Refuse a spec in place of a function that makes inputs.

    Raises:
        UsageError: The message names the option for specs.
    """
    if not given:
        return
    try:
        parse_spec(given)
    except UsageError:
        return
    raise UsageError(f"{option} {given}: it takes FILE.py:MAKE; a shape is given with {instead} {given}")


def dtype_name(text: str) -> str:
    """Return a dtype's usual name for a short one: ``bfloat16`` for ``bf16``; any other name as it is."""
    short = _SHORT.match(text)
    if short is None:
        return _OTHER_TYPES.get(text, text)
    return f"{_TYPES[short[1]]}{short[2]}"


def _parts(sizes: str) -> list[str]:
    """Split the sizes of a shape, written with x or as a tuple or list, without the spaces between them."""
    wrapped = _WRAPPED.match(sizes)
    sizes = sizes if wrapped is None else wrapped[1]
    written = _TUPLE.match(sizes)
    if written is None and "," not in sizes:
        return re.split(" *[Xx\u00d7] *" if _CAPITAL_X.match(sizes) else " *[x\u00d7] *", sizes)
    inner = sizes if written is None else written[1] or written[2] or ""
    parts = [part.strip() for part in inner.split(",")]
    return parts[:-1] if parts[-1] == "" else parts


def _literal(spec: str, text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise _wrong(spec, f"{text!r} is not a Python literal") from None


def parse_size(text: str) -> Dim:
    """Parse one size: a number from 1, or a symbol such as ``S``.

    Raises:
        UsageError: The text is neither.
    """
    return _dim(text, text)


def _dim(spec: str, part: str) -> Dim:
    if part in _OPEN:
        raise _wrong(spec, open_size(part))
    if SYMBOL.match(part):
        return symbol(part)
    capital = part.capitalize()
    if SYMBOL.match(capital):
        raise _wrong(spec, f"{part!r} is neither a size nor a symbol, which begins with a capital: {capital}")
    if not (part.isascii() and part.isdigit()):
        raise _wrong(spec, f"{part!r} is neither a size nor a symbol")
    size = int(part) if len(part) < len(str(LARGEST)) + 1 else LARGEST
    if not 0 < size < LARGEST:
        raise _wrong(spec, f"the size {part} is out of range")
    return size


def open_size(part: object) -> str:
    """Return the advice for a size that is left open, which no count can know."""
    return f"{part} leaves a size open; write a number, such as 1, or a symbol, such as N"


def _wrong(text: str, reason: str) -> UsageError:
    end = "" if reason.endswith("?") else "."
    return UsageError(
        f"the input spec {text!r} can't be read: {reason}{end} Expected [NAME=]DIMxDIM...[:DTYPE], such as "
        "1x3x224x224, ids=1x128:int64, Nx3xHxW, t=scalar:int64 or use_cache=!False"
    )


def gather(specs: Iterable[InputSpec]) -> tuple[tuple[InputSpec, ...], dict[str, Nested]]:
    """Arrange inputs by their names, in the form that the network takes.

    ``batch.image`` is the entry ``image`` of a dict ``batch``, ``boxes[0]`` the first of a tuple.

    Returns:
        The positional arguments and the keyword arguments.

    Raises:
        UsageError: Two inputs have the same place, or a tuple has a gap.
    """
    positional: list[InputSpec] = []
    root: _Branch = {}
    for spec in specs:
        if spec.name:
            _place(root, spec)
        else:
            positional.append(spec)
    return tuple(positional), {str(key): _close(key, value) for key, value in root.items()}


_Branch: TypeAlias = "dict[str | int, InputSpec | _Branch]"


def _steps(name: str) -> list[str | int]:
    """Split ``a.b[0]`` into its steps; a number is an index."""
    return [int(step) if step[0] in "0123456789" else step for step in _STEP.findall(name)]


def _place(root: _Branch, spec: InputSpec) -> None:
    *above, last = _steps(spec.name)
    if len(above) >= DEEPEST:
        raise UsageError(
            f"the input {spec.name[:60]!r}... is {len(above)} levels deep; at most {DEEPEST} are read"
        )
    branch = root
    for step in above:
        below = branch.setdefault(step, {})
        if isinstance(below, InputSpec):
            raise UsageError(f"the inputs {below.name!r} and {spec.name!r} exclude each other")
        _check_same_sort(branch, step, spec)
        branch = below
    if last in branch:
        raise UsageError(f"the input {spec.name!r} is given twice, or as a whole and in parts")
    branch[last] = spec
    _check_same_sort(branch, last, spec)


def _check_same_sort(branch: _Branch, step: str | int, spec: InputSpec) -> None:
    if any(isinstance(key, int) is not isinstance(step, int) for key in branch):
        raise UsageError(f"the input {spec.name!r} makes a tuple and a dict of the same argument")


def _close(name: str | int, value: InputSpec | _Branch) -> Nested:
    if isinstance(value, InputSpec):
        return value
    closed = {key: _close(f"{name}.{key}", below) for key, below in value.items()}
    if not isinstance(next(iter(closed)), int):
        return {str(key): below for key, below in closed.items()}
    missing = set(range(len(closed))) - set(closed)
    if missing:
        raise UsageError(f"the inputs {name}[...] lack {name}[{min(missing)}]: a tuple has no gaps")
    return tuple(closed[index] for index in range(len(closed)))
