"""The values in a program that are known while it is built: sizes, and values computed from sizes alone.

``paddle.shape(x)`` is a tensor, and PaddleSeg, PaddleNLP and PaddleDetection reshape, slice and interpolate
by its elements, which in a program leaves every later size open. Here each op on known sizes is computed at
once by Paddle's own eager op, and its result becomes a constant of the program, which Paddle's inference of
shapes then reads. So the layer is traced as it runs eagerly, where these values are available.

With ``everything``, which runs the network, all values are known: each op is computed on real tensors beside
the program, a size that depends on data has its value of that run, and a branch goes the way of that run.

The names of Paddle that this rests on are those of :mod:`flopledger_paddle.internals`.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any

from flopledger_paddle import eager, internals
from flopledger_paddle.framework import paddle
from flopledger_paddle.inputs import contents_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flopledger.frontend import InputSpec, Shape

MOST = 16
"""The most elements of a tensor of sizes; a larger one is data that happens to be whole numbers."""

_SOURCES = frozenset({"shape", "shape64", "numel"})
"""Ops that make sizes of a tensor's shape."""
_CREATION = frozenset({"full", "full_int_array"})
"""Ops that make a tensor of one number, which sizes may be multiplied by and joined with."""
_COMPUTED = frozenset({
    "abs", "add", "all", "amax", "amin", "any", "assign", "cast", "ceil", "clip", "concat", "divide",
    "elementwise_pow", "equal", "expand", "flatten", "flip", "floor", "floor_divide", "gather",
    "greater_equal", "greater_than", "index_select", "less_equal", "less_than", "logical_and", "logical_not",
    "logical_or", "max", "maximum", "mean", "min", "minimum", "multiply", "not_equal", "pow", "prod",
    "remainder", "reshape", "round", "scale", "slice", "split", "split_with_num", "sqrt", "squeeze", "stack",
    "strided_slice", "subtract", "sum", "tile", "transpose", "trunc", "unbind", "unsqueeze", "unstack",
    "where",
})  # fmt: skip
"""Ops that sizes go through; none of them is random, and none has an effect."""
_LISTS = frozenset({"stack", "concat", "add_n", "meshgrid", "einsum", "multiplex", "broadcast_tensors"})
"""Ops that take a list of tensors as it is; in others a list that has tensors in it is a list of sizes."""
_SIZES_AT = {
    "reshape": (1,), "expand": (1,), "tile": (1,), "slice": (2, 3), "strided_slice": (2, 3, 4), "full": (0,),
    "pool2d": (1,), "pad3d": (1,), "split": (1,),
}  # fmt: skip
"""Operands that are sizes in one tensor, and that Paddle's shape inference reads only as numbers."""
_INTERPOLATED = ("linear_interp", "bilinear_interp", "trilinear_interp", "bicubic_interp", "nearest_interp")
"""Resizing, which has arguments of its own for sizes that are numbers (``out_d``, ``out_h``, ``out_w``). From
sizes in a tensor Paddle infers nothing, and where PaddleSeg resizes so, every later size would be open."""


class Known:
    """The known values of a program that is being built.

    Attributes:
        everything: Whether all values are computed, not sizes alone.
        shapes: The real shapes of values that are open in the program, by the value's id.
        same: Values that replace one whose size was open, by their id.
    """

    def __init__(self, *, everything: bool = False) -> None:
        self.everything = everything
        self.shapes: dict[str, Shape] = {}
        self.same: dict[str, Any] = {}
        self._written_over: dict[str, Any] = {}
        self._eager = eager.Eager()
        self._tensors: dict[str, Any] = {}

    def given(self, value: Any, tensor: Any) -> None:
        """Set the contents of a program's value."""
        self._tensors[value.id] = tensor

    def stored(self, value: Any, tensor: Any) -> None:
        """Set the contents of a weight or buffer: as sizes alone, of small tensors of whole numbers."""
        if tensor is None or not tensor._is_initialized():  # noqa: SLF001  (built lazily)
            return
        # Paddle holds a lock here that its own functions need: only attributes are read.
        if self.everything or _is_size(tensor):
            self._tensors[value.id] = tensor

    def input(self, value: Any, spec: InputSpec) -> None:
        """Let an input have its contents where everything is computed."""
        if self.everything:
            with self._eager():
                self._tensors[value.id] = contents_of(spec)

    def tensor(self, value: Any) -> Any:
        """Return the tensor of a value, if it is known."""
        return self._tensors.get(value.id) if value.initialized() else None

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Compute the known results of each op that goes into the program."""
        with self._eager():  # a computed op may change buffers
            for name, tensor in self._tensors.items():
                if tensor.stop_gradient:
                    self._tensors[name] = tensor.clone()
        with (
            eager.ops_replaced(self._wrapped),
            eager.conversions_replaced(self._converted),
            eager.floor_division_as_eager(),
            eager.in_place_seen(self._note_written, self.latest),
        ):
            yield

    def _note_written(self, value: Any, contents: Any) -> None:
        value = self.latest(value)
        if contents.id != value.id:
            self._written_over[value.id] = contents

    def latest(self, value: Any) -> Any:
        """Return the value that holds the newest contents of one, after functions in place, nested or not."""
        if isinstance(value, (list, tuple)):
            latest = map(self.latest, value)
            return tuple(latest) if isinstance(value, tuple) else list(latest)
        while isinstance(value, paddle.pir.Value) and value.id in self._written_over:
            value = self._written_over[value.id]
        return value

    def _converted(self, value: Any) -> Any:
        """Return a value as an array, for ``int(value)`` and its variants; None where it is not known."""
        tensor = self.tensor(value) if isinstance(value, paddle.pir.Value) else None
        if tensor is None:
            return None
        with self._eager():
            return tensor.numpy()

    def _wrapped(self, name: str, own: Callable[..., Any]) -> Callable[..., Any]:
        """Return an op that is computed at once if its result is a size, and else goes into the program."""
        plain = name.rstrip("_")

        def op(*args: Any, **kwargs: Any) -> Any:
            if paddle.in_dynamic_mode():
                return own(*args, **kwargs)
            if self._written_over:
                args = self.latest(args)
                kwargs = {key: self.latest(value) for key, value in kwargs.items()}
            if plain == "matmul":
                args, kwargs = _aligned(args, kwargs)
            if plain in _SOURCES and not self.everything:
                return self._source(plain, own, args, kwargs)
            sized = self._sized(plain, args)
            if self.everything:
                return self._run(name, own(*sized, **kwargs), args, kwargs)
            if plain in _COMPUTED and self._all_known(args):
                found = self._computed(name, args, kwargs)
                if found is not None:
                    return found
            result = own(*sized, **kwargs)
            if plain == "assign_value":
                return self._written(result, args)
            if name in _CREATION:
                self._made(name, result, sized, kwargs)
            return result

        return op

    def _source(
        self, name: str, own: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        value = args[0] if args else next(iter(kwargs.values()))
        sizes = list(value.shape)
        if any(size < 0 for size in sizes):
            return own(*args, **kwargs)
        with self._eager():
            whole = paddle.to_tensor(sizes, dtype="int32" if name == "shape" else "int64")
            tensor = whole.prod() if name == "numel" else whole
        return self._constant(tensor)

    def _made(self, name: str, result: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Keep the contents of a new tensor of whole numbers."""
        if self._all_known(args, some=False) and _is_small(result):
            tensor = self._eagerly(name, args, kwargs)
            if _is_size(tensor):
                self._tensors[result.id] = tensor

    def _written(self, result: Any, args: tuple[Any, ...]) -> Any:
        """Return the result of ``to_tensor`` on whole numbers, its fourth argument, as a constant."""
        if not _is_small(result) or result.dtype not in (paddle.int32, paddle.int64) or len(args) < 4:
            return result
        with self._eager():
            tensor = paddle.to_tensor([int(number) for number in args[3]], dtype=result.dtype)
            tensor = tensor.reshape(list(result.shape))
        constant = self._constant(tensor)
        return result if constant is None else constant

    def _all_known(self, args: Any, *, some: bool = True) -> bool:
        values = list(_values(args))
        return all(self.tensor(value) is not None for value in values) and (bool(values) or not some)

    def _computed(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        found = self._eagerly(name, args, kwargs)
        listed = isinstance(found, (list, tuple))
        tensors = list(found) if listed else [found]
        if not tensors or not all(_is_size(tensor, fractions=True) for tensor in tensors):
            return None
        constants = [self._constant(tensor) for tensor in tensors]
        if any(constant is None for constant in constants):
            return None
        return constants if listed else constants[0]

    def _eagerly(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Return the result of an op on known tensors; None where it can't be computed."""
        for numbers in (False, True):
            mapped = [self._mapped(arg, numbers=numbers) for arg in args]
            named = {key: self._mapped(arg, numbers=numbers) for key, arg in kwargs.items()}
            with contextlib.suppress(Exception):  # an op may refuse lists of tensors, or want them
                return self._eager.call(name, mapped, named)
        return None

    def _mapped(self, value: Any, *, numbers: bool) -> Any:
        if isinstance(value, paddle.pir.Value):
            return self.tensor(value) if value.initialized() else None
        if isinstance(value, (list, tuple)):
            items = [self._mapped(item, numbers=numbers) for item in value]
            if numbers:
                with self._eager():
                    return [item.item() if isinstance(item, paddle.Tensor) else item for item in items]
            return items
        # A program leaves open where it runs; an eager op wants to know.
        return self._eager.place if type(value) is type(self._eager.place) else value

    def _constant(self, tensor: Any) -> Any:
        """Return a value of the program that holds a tensor; None for one that no constant can be."""
        with self._eager():
            shape, dtype, numbers = list(tensor.shape), tensor.dtype, tensor.flatten().tolist()
        if len(shape) == 1 and dtype in (paddle.int32, paddle.int64):
            value = eager.constants(numbers, dtype)
        elif len(numbers) == 1:
            value = eager.constant(shape, numbers[0], dtype)
        elif dtype in (paddle.float32, paddle.float64):
            value = eager.fractions(shape, numbers, dtype)
        else:
            return None
        self._tensors[value.id] = tensor
        return value

    def _sized(self, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return an op's arguments with numbers in place of known sizes."""
        if name in _INTERPOLATED:
            return self._interpolated(args)
        at = _SIZES_AT.get(name, ())
        return tuple(
            self._numbers(arg) if i in at or (isinstance(arg, (list, tuple)) and name not in _LISTS) else arg
            for i, arg in enumerate(args)
        )

    def _numbers(self, arg: Any) -> Any:
        if not isinstance(arg, (list, tuple, paddle.pir.Value)) or not self._all_known(arg):
            return arg
        items = (
            [self._mapped(item, numbers=False) for item in arg] if isinstance(arg, (list, tuple)) else None
        )
        with self._eager():
            if items is None:
                numbers = self.tensor(arg).flatten().tolist()
                return [int(number) for number in numbers]
            return [int(item) if isinstance(item, paddle.Tensor) else item for item in items]

    def _interpolated(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments of an interpolation with its sizes as numbers: the three before ``scale``."""
        for place in (1, 2):
            size = args[place]
            if size is None or not isinstance(size, (list, paddle.pir.Value)):
                continue
            numbers = self._numbers(size)
            if isinstance(numbers, list) and all(isinstance(number, int) for number in numbers):
                padded = [-1] * (3 - len(numbers)) + numbers
                return (args[0], None, None, *args[3:5], *padded, *args[8:])
        return args

    def _run(self, name: str, result: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Compute an op on real tensors; a result whose size was open is replaced by one of its real size."""
        if not self._all_known((args, tuple(kwargs.values())), some=False):
            return result
        found = self._eagerly(name, args, kwargs)
        if isinstance(result, paddle.pir.Value):
            return self._settled(result, found)
        if isinstance(result, (list, tuple)) and isinstance(found, (list, tuple)):
            return type(result)(self._settled(a, b) for a, b in zip(result, found, strict=False))
        return result

    def _settled(self, value: Any, tensor: Any) -> Any:
        if isinstance(value, (list, tuple)) and isinstance(tensor, (list, tuple)):
            return type(value)(self._settled(a, b) for a, b in zip(value, tensor, strict=False))
        if not isinstance(value, paddle.pir.Value) or not isinstance(tensor, paddle.Tensor):
            return value
        shape = tuple(tensor.shape)
        if value.initialized() and any(size < 0 for size in value.shape):
            self.shapes[value.id] = shape
            settled = internals.input_like(value.dtype, list(shape))
            self.same[settled.id] = value
            value = settled
        if value.initialized():
            self._tensors[value.id] = tensor
        return value


def _aligned(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return a matrix product's operands with as many axes where one of the longer is stretched.

    Of the batches (2, 1) and (5) Paddle 3.3 infers (2, 1) in a program, and computes (2, 5).
    """
    given = dict(zip(("x", "y"), args, strict=False)) | kwargs
    shapes = [list(given[name].shape) for name in "xy" if isinstance(given.get(name), paddle.pir.Value)]
    short, long = sorted(shapes, key=len) if len(shapes) == 2 else ([], [])
    missing = len(long) - len(short)
    if len(short) < 3 or not missing or min(*short, *long) < 0:
        return args, kwargs
    if not any(a == 1 and b != 1 for a, b in zip(long[missing:-2], short[:-2], strict=True)):
        return args, kwargs
    name = "x" if len(shapes[0]) == len(short) else "y"
    given[name] = paddle.reshape(given[name], [1] * missing + short)
    return (given["x"], given["y"], *args[2:]), {k: v for k, v in kwargs.items() if k not in ("x", "y")}


def _values(value: Any) -> Iterator[Any]:
    if isinstance(value, paddle.pir.Value):
        if value.initialized():
            yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _values(item)


def _is_small(value: Any) -> bool:
    sizes = list(value.shape) if isinstance(value, paddle.pir.Value) and value.initialized() else [-1]
    return len(sizes) < 2 and all(0 <= size <= MOST for size in sizes)


def _is_size(tensor: Any, *, fractions: bool = False) -> bool:
    """Return whether a tensor is small and of whole numbers or truth values; or of fractions, on the way."""
    if not isinstance(tensor, paddle.Tensor) or len(tensor.shape) > 1 or math.prod(tensor.shape) > MOST:
        return False
    if tensor.dtype in (paddle.int32, paddle.int64, paddle.bool):
        return True
    return fractions and tensor.dtype in (paddle.float32, paddle.float64)
