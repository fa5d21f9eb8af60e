"""Everything of Paddle that is not public and that a reading uses. Seen on Paddle 3.3.1.

The direct recipe builds a program from a layer with the guards that ``paddle.jit.to_static`` itself
uses, without its translation of the source. Where a name here is gone, the public recipe is taken.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

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
def converted(tensors: tuple[Any, Any], program: Any) -> Iterator[None]:
    """Turn a layer's eager tensors into values of a program wherever one is used.

    Raises:
        ImportError: This Paddle has other names for it.
    """
    from paddle.base.dygraph.base import param_guard  # noqa: PLC0415  (may be gone)
    from paddle.jit.dy2static import parameter_recorder as recorder  # noqa: PLC0415
    from paddle.jit.dy2static.utils import graph_tracing_guard  # noqa: PLC0415
    from paddle.nn.layer import layers  # noqa: PLC0415
    from paddle.pir import core  # noqa: PLC0415

    try:
        with (
            replaced(core, "create_parameter", _input_like),
            replaced(layers, "name_struct", contextlib.nullcontext),
            graph_tracing_guard(program),
            param_guard(tensors[0]),
            param_guard(tensors[1]),
        ):
            yield
    except BaseException:
        # The guard forgets what it recorded only when all went well; the next program may lie at the
        # same address.
        for table in (recorder._global_parameter_recorder, recorder._global_inplace_map):  # noqa: SLF001
            with contextlib.suppress(KeyError):
                table.pop(program)
        raise


def _input_like(dtype: Any, shape: Any, name: str | None = None, **about: Any) -> Any:
    """Return a value for a parameter, without the program that would make its contents."""
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

    A cell is called once for each step, not put into a loop whose sizes nobody knows; and a batch
    norm that is synchronised across devices is the plain one where there is one device.
    """
    from paddle import _C_ops  # noqa: PLC0415
    from paddle.nn.layer import rnn  # noqa: PLC0415

    steps = getattr(rnn, "_rnn_dynamic_graph", None)
    plain = getattr(_C_ops, "batch_norm_", None)
    with replaced(rnn, "_rnn_static_graph", steps), replaced(_C_ops, "sync_batch_norm_", plain):
        yield


_OWN: list[Any] = []
"""The framework's own ``Layer.__call__`` while somebody listens."""


@contextlib.contextmanager
def listening(
    call: Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any],
) -> Iterator[None]:
    """Let ``call`` make every layer's call: it gets the framework's own way, the layer and the arguments.

    A listener within another is the only one that hears.
    """
    own = _OWN[0] if _OWN else paddle.nn.Layer.__call__

    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807  (it takes that method's place)
        return call(own, self, args, kwargs)

    _OWN.append(own)
    try:
        with replaced(paddle.nn.Layer, "__call__", __call__):
            yield
    finally:
        _OWN.pop()


def load_program(path: str) -> Any:
    """Return the program in a file: JSON of Paddle 3, or the binary form of older ones, translated.

    Raises:
        ImportError: This Paddle has other names for it.
    """
    from paddle.base import core  # noqa: PLC0415

    if path.lower().endswith(".json"):
        program = paddle.static.Program()
        core.deserialize_pir_program(path, program)
        return program
    with open(path, "rb") as file:  # noqa: PTH123  (a path as Paddle takes it)
        return paddle.pir.translate_to_pir(core.ProgramDesc(file.read()))


def position(block: Any) -> int:
    """Return how many ops a block has by now."""
    found: int = block.num_ops()
    return found


def growing_block() -> Any:
    """Return the block that the next op goes into."""
    return paddle.pir.get_current_insertion_point().block()


class Names:
    """The names that Paddle has given layers and weights, so that as many can be given again.

    Each change from static to dynamic mode starts counting anew, with another generator.
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
