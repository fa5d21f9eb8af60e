"""Carries the masks that layers hand on beside their results, as Keras does when a network runs.

A graph of Keras names a mask only where a layer was called with one tensor and nothing else. Attention, and
every layer that is called with a list, finds the masks at the tensors it reads (Keras 3.15, layers/layer.py,
steps 6 and 7 of ``Layer.__call__``). A mask is computed here when a layer first asks for it, and not with
the result that it belongs to: most are never read, and a traced graph drops those.
"""

from __future__ import annotations

import contextlib
import inspect
from dataclasses import field
from typing import TYPE_CHECKING, Any

import keras
from flopledger.frontend import CONTAINER, dataclass
from keras.src.backend import get_keras_mask, set_keras_mask
from keras.src.utils.python_utils import is_default

from flopledger_keras.introspect import graph_of
from flopledger_keras.modules import source_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from flopledger_keras.calls import Calls


@dataclass(slots=True, eq=False)
class _Promise:
    """The computation of the masks of a layer's results: the layer, its inputs, and the masks of that."""

    layer: Any
    first: Any
    previous: Any
    results: list[Any]
    kept: bool = False
    masks: dict[int, Any] = field(default_factory=dict)

    @property
    def waits_for(self) -> list[_Promise]:
        """The promises that this one needs, and that are not kept yet."""
        needs = (one.promise for one in keras.tree.flatten(self.previous) if isinstance(one, _Later))
        return [need for need in needs if not need.kept]

    def keep(self, tracer: Calls) -> None:
        """Compute the masks, and set them at the results."""
        previous = keras.tree.map_structure(_now, self.previous)
        with _method(tracer, self.layer, "compute_mask"):  # what Layer.__call__ does last
            self.layer._set_mask_metadata(self.first, self.results, previous)  # noqa: SLF001
        self.kept = True
        self.masks = {id(result): get_keras_mask(result) for result in self.results}


@dataclass(slots=True, eq=False)
class _Later:
    """The mask that is promised for a tensor."""

    promise: _Promise
    tensor: Any


class Masks:
    """The masks that are promised for the results of the layers of a graph."""

    def __init__(self, tracer: Calls) -> None:
        self._tracer = tracer
        self._promises: dict[int, _Promise] = {}
        self._handed: set[int] = set()

    def promise(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], results: Any) -> None:
        """Note that a layer's results have masks, if one of its inputs has one or it makes one itself."""
        if not getattr(layer, "supports_masking", False):
            return
        first = args[0] if args else next(iter(kwargs.values()))
        given = kwargs.get("mask")
        previous = keras.tree.map_structure(self._of, first) if given is None else given
        if _makes(layer) or any(mask is not None for mask in keras.tree.flatten(previous)):
            tensors = [one for one in keras.tree.flatten(results) if isinstance(one, keras.KerasTensor)]
            self._promises.update(dict.fromkeys(map(id, tensors), _Promise(layer, first, previous, tensors)))

    def _of(self, tensor: Any) -> Any:
        promise = self._promises.get(id(tensor))
        if promise is None or promise.kept:
            return get_keras_mask(tensor)
        return _Later(promise, tensor)

    def hand(self, tensors: list[Any], masks: list[Any]) -> None:
        """Set masks that a model inside is called with, as ``Functional.call`` does."""
        for tensor, mask in zip(tensors, masks, strict=False):
            if mask is not None:
                self._promises.pop(id(tensor), None)
                self._handed.add(id(tensor))
                set_keras_mask(tensor, mask)

    def taken(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Compute the masks that are promised for a layer's arguments; return its keywords with all masks.

        A layer of the tables that takes no mask reads none; one that runs its own call may hand it further.
        """
        if graph_of(layer) is not None or not isinstance(layer, keras.layers.Layer):
            return kwargs
        tensors = keras.tree.flatten((args, kwargs))
        promised = [self._promises[id(tensor)] for tensor in tensors if id(tensor) in self._promises]
        masked = promised or not self._handed.isdisjoint(map(id, tensors))
        signature = inspect.signature(layer.call) if masked else None
        if signature is None or (self._tracer.describes(layer) and "mask" not in signature.parameters):
            return kwargs
        self._keep(promised)
        given = {
            name: value
            for name, value in signature.bind_partial(*args, **kwargs).arguments.items()
            if any(isinstance(one, keras.KerasTensor) for one in keras.tree.flatten(value))
        }
        found = dict(kwargs)
        for name, value in given.items():
            place = "mask" if len(given) == 1 else f"{name}_mask"
            if place in signature.parameters and found.get(place) is None:
                found[place] = keras.tree.map_structure(get_keras_mask, value)
        return found

    def _keep(self, promises: Iterable[_Promise]) -> None:
        """Compute masks, those that they need first; without recursion, since chains of layers are long."""
        waiting = list(promises)
        while waiting:
            needs = waiting[-1].waits_for
            waiting += needs
            if not needs:
                last = waiting.pop()
                if not last.kept:
                    last.keep(self._tracer)


@contextlib.contextmanager
def _method(tracer: Calls, layer: Any, method: str) -> Iterator[None]:
    """Record what a method of a layer computes outside of its call, if it computes anything."""
    state = tracer.mark()
    number = tracer.call(f"{layer.name}.{method}", f"{source_of(type(layer))}.{method}", CONTAINER, (), ())
    with tracer.inside(number):
        yield
    if len(tracer.builder.layers) == number + 1:
        tracer.rewind(state)


def _now(mask: Any) -> Any:
    return mask.promise.masks[id(mask.tensor)] if isinstance(mask, _Later) else mask


def _makes(layer: Any) -> bool:
    """Return whether a layer may make a mask of its inputs; most of Keras's own only hand one on."""
    if type(layer).__module__.startswith("keras."):
        return bool(getattr(layer, "mask_zero", False)) or getattr(layer, "mask", None) is not None
    return not is_default(layer.compute_mask)
