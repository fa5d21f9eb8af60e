"""Names of Paddle that are not public and that a reading uses, seen on Paddle 3.3.1.

Those that known values need are in :mod:`flopledger_paddle.eager`.

The direct recipe builds a program from a layer with the guards that ``paddle.jit.to_static`` itself
uses, without its translation of the source. Where a name here is gone, the public recipe is taken.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
import traceback
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flopledger_paddle.bounds import json_text, message
from flopledger_paddle.framework import paddle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEEN_ON = ("3.3",)
"""The releases that this module was tried on."""


def tensors_of(layer: Any) -> tuple[Any, Any]:
    """Return a layer's parameters and buffers, as :func:`converted` wants them; not in static mode.

    Raises:
        ImportError: This Paddle has other names for it.
    """
    from paddle.jit.dy2static.program_translator import get_buffers, get_parameters  # noqa: PLC0415

    return get_parameters(layer, include_sublayer=True), get_buffers(layer, include_sublayer=True)


@contextlib.contextmanager
def converted(
    tensors: tuple[Any, Any], program: Any, stored: Callable[[Any, Any], None] | None = None
) -> Iterator[None]:
    """Turn a layer's eager tensors into values of a program wherever one is used.

    ``stored`` is called with each value and its tensor.

    Raises:
        ImportError: This Paddle has other names for it.
    """
    from paddle.base.dygraph.base import param_guard  # noqa: PLC0415  (may be gone)
    from paddle.jit.dy2static import parameter_recorder as recorder  # noqa: PLC0415
    from paddle.jit.dy2static.utils import graph_tracing_guard  # noqa: PLC0415
    from paddle.nn.layer import layers  # noqa: PLC0415
    from paddle.pir import core  # noqa: PLC0415

    by_name = {tensor.name: tensor for table in tensors for tensor in _flat(table)}

    def made(dtype: Any, shape: Any, name: str | None = None, **about: Any) -> Any:
        value = input_like(dtype, shape, name, **about)
        if stored is not None:
            stored(value, by_name.get(name))
        return value

    try:
        with (
            replaced(core, "create_parameter", made),
            replaced(layers, "name_struct", contextlib.nullcontext),
            graph_tracing_guard(program),
            param_guard(tensors[0]),
            param_guard(tensors[1]),
        ):
            yield
    except BaseException:
        # The guard forgets its record only when all went well; the next program may have the
        # same address.
        for table in (recorder._global_parameter_recorder, recorder._global_inplace_map):  # noqa: SLF001
            with contextlib.suppress(KeyError):
                table.pop(program)
        raise


def _flat(table: Any) -> Iterator[Any]:
    """Yield the tensors of nested tables."""
    if isinstance(table, dict):
        for item in table.values():
            yield from _flat(item)
    elif isinstance(table, (list, tuple)):
        for item in table:
            yield from _flat(item)
    elif hasattr(table, "name"):
        yield table


def input_like(dtype: Any, shape: Any, name: str | None = None, **about: Any) -> Any:
    """Return a value for a parameter, without the program that would make its contents.

    Paddle's own ``create_parameter`` also adds an op that initialises the weight to the start-up program,
    which a reading never runs.
    """
    value = paddle._pir_ops.data(name or "", shape, dtype, paddle.base.core.Place())  # noqa: SLF001
    value.persistable = True
    value.trainable = about.get("trainable", True)
    value.stop_gradient = not value.trainable
    value.is_parameter = True
    return value


@contextlib.contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Give something another attribute for a while; nothing where it has none of that name."""
    if not hasattr(owner, name):
        yield
        return
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextlib.contextmanager
def as_it_runs() -> Iterator[None]:
    """Let a program be built as the layer runs eagerly on a CPU.

    A cell is called once for each step, not put into a loop whose sizes nobody knows; a batch norm that is
    synchronised across devices is the plain one where there is one device; ``amp.auto_cast`` does nothing, as
    on a CPU, for which a program of half precision has no convolution; and a function in place is the plain
    one, without the check for views, which takes for granted that the tensor is given by position.
    """
    from paddle import _C_ops  # noqa: PLC0415
    from paddle.nn.layer import rnn  # noqa: PLC0415

    steps = getattr(rnn, "_rnn_dynamic_graph", None)
    plain = getattr(_C_ops, "batch_norm_", None)
    amp = sys.modules.get("paddle.amp.auto_cast")  # the function of that name hides the module
    with (
        replaced(rnn, "_rnn_static_graph", steps),
        replaced(_C_ops, "sync_batch_norm_", plain),
        replaced(amp, "amp_guard", lambda *_, **__: contextlib.nullcontext()),
        _without_levels(amp),
        _views_allowed(),
        _variable("stride_in_no_check_dy2st_diff", "1"),
    ):
        yield


@contextlib.contextmanager
def without_stacks() -> Iterator[None]:
    """Let Paddle note no stack of Python's for each op, which takes as long as all else in a reading.

    It is only shown where a program's run fails. In other threads ``traceback`` does what it always does.
    """
    own, thread = traceback.extract_stack, threading.get_ident()

    def extract_stack(*args: Any, **kwargs: Any) -> Any:
        return [] if threading.get_ident() == thread else own(*args, **kwargs)

    with replaced(traceback, "extract_stack", extract_stack):
        yield


@contextlib.contextmanager
def _views_allowed() -> Iterator[None]:
    """Let ``view`` with a shape go into a program, as the reshape that it is there; Paddle refuses it."""
    own = getattr(paddle, "view", None)

    def view(x: Any, *to: Any, **named: Any) -> Any:
        wanted = list(to) if len(to) > 1 else next(iter((*to, *named.values())), None)
        return paddle.reshape(x, wanted) if isinstance(wanted, (list, tuple)) else own(x, wanted)  # type: ignore[misc]

    with replaced(paddle, "view", view), replaced(paddle.pir.Value, "view", view):
        yield


@contextlib.contextmanager
def _without_levels(amp: Any) -> Iterator[None]:
    """Let ``auto_cast`` do nothing as a decorator too, which holds the guard since before."""
    levels = getattr(amp, "AMP_LEVEL", None)
    if levels is None:
        yield
        return
    none = types.SimpleNamespace(**dict.fromkeys(("O0", "O1", "O2", "OD"), levels.O0))
    state = amp.amp_global_state()  # the guard leaves its type there
    with replaced(amp, "AMP_LEVEL", none), replaced(state, "amp_dtype", state.amp_dtype):
        yield


@contextlib.contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for a while."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


_ORIGINAL: list[Any] = []
"""The framework's own ``Layer.__call__`` while calls are intercepted."""


@contextlib.contextmanager
def intercepting(
    call: Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any],
) -> Iterator[None]:
    """Let ``call`` make every layer's call: it gets the framework's own method, the layer and the arguments.

    Of nested interceptions only the innermost is active.
    """
    own = _ORIGINAL[0] if _ORIGINAL else paddle.nn.Layer.__call__

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807  (it takes that method's place)
        return call(own, self, args, kwargs)

    _ORIGINAL.append(own)
    try:
        with replaced(paddle.nn.Layer, "__call__", __call__):
            yield
    finally:
        _ORIGINAL.pop()


def load_program(path: Path) -> Any:
    """Return the program in a file: JSON of Paddle 3, or the binary form of older ones, translated.

    Raises:
        ImportError: This Paddle has other names for it.
        SourceError: It can't be read, or is larger than any program.
    """
    from paddle.base import core  # noqa: PLC0415

    if path.suffix.lower() == ".json":
        # Paddle opens files by name alone. It gets a copy of the checked bytes, since another file, or a
        # pipe that keeps it waiting, may have taken the place of the one that was named
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "program.json"
            copy.write_text(json_text(path), "utf-8")
            program = paddle.static.Program()
            core.deserialize_pir_program(str(copy), program)
        return program
    return paddle.pir.translate_to_pir(core.ProgramDesc(message(path)))


def position(block: Any) -> int:
    """Return how many ops a block has by now."""
    found: int = block.num_ops()
    return found


def growing_block() -> Any:
    """Return the block that the next op goes into."""
    return paddle.pir.get_current_insertion_point().block()


class Names:
    """The names that Paddle has given layers and weights, so that as many can be given again.

    Each change from static to dynamic mode starts counting from zero, with another generator.
    """

    def __init__(self) -> None:
        unique = paddle.base.unique_name
        self.generator, self.checker = unique.generator, unique.dygraph_parameter_name_checker
        self.counts = dict(self.generator.ids)
        self.used = set(self.checker._name_set)  # noqa: SLF001  (it has no other view)

    def restore(self) -> None:
        """Forget the names given since."""
        paddle.base.unique_name.switch(self.generator, self.checker)
        self.generator.ids.clear()
        self.generator.ids.update(self.counts)
        self.checker._name_set.clear()  # noqa: SLF001
        self.checker._name_set.update(self.used)  # noqa: SLF001
