"""The registered modules and their weights as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from flopledger.frontend import Module, ParameterTable, Registered, is_a

from flopledger_torch.packed import packed_shapes, packed_weights
from flopledger_torch.record import dtype_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flopledger.frontend import Parameter, Value

_SCALARS: tuple[type[Any], ...] = (bool, int, float, str)
_SHAPED = ("weight", "bias", "in_proj_bias", "bias_k", "weight_ih", "weight_hh")
"""The weights of torch's layers whose shapes decide the work of a layer, such as whether it has a bias."""
_ALWAYS = frozenset(("weight", "bias"))
"""Those that conventions of tools ask for: of a layer without one they are recorded as None."""
_ROLES = {"running_mean": "running_mean", "running_var": "running_var", "num_batches_tracked": "counter"}


def class_path(cls: type) -> str:
    """Return a class by its canonical path: ``torch.nn.Conv2d``, whatever file defines it."""
    if getattr(torch.nn, cls.__name__, None) is cls:
        return f"torch.nn.{cls.__name__}"
    return f"{cls.__module__}.{cls.__qualname__}"


def registered_in(model: torch.nn.Module) -> Registered[torch.nn.Module]:
    """Return the modules of a model."""
    return Registered(model, lambda module: module._modules.items())


def _memory(tensor: torch.Tensor) -> tuple[int, ...] | None:
    """Return a key that is equal for tensors that share memory."""
    if tensor.layout != torch.strided or tensor.numel() == 0:
        return None
    return (tensor.untyped_storage()._cdata, int(tensor.storage_offset()), tensor.numel())


def module_tables(registered: Registered[torch.nn.Module], mode: str) -> tuple[list[Module], list[Parameter]]:
    """Return the rows of all modules, in the mode that they were read in, and of all their weights."""
    table = ParameterTable()
    rows = []
    for number, module in enumerate(registered.modules):
        cls = type(module)
        own = tuple(_own(module, registered.paths[number], table))
        training = module.training if mode == "given" else mode == "train"
        rows.append(
            Module(
                number,
                tuple(registered.paths[number]),
                class_path(cls),
                tuple(class_path(base) for base in cls.__mro__[1:-1]),
                tuple(registered.children[number]),
                own,
                training,
                {**native(module), "training": training},
            )
        )
    return rows, table.rows()


def _own(module: torch.nn.Module, paths: list[str], table: ParameterTable) -> Iterator[tuple[str, int]]:
    """Yield the name and the row of each tensor that a module has itself."""

    def add(tensor: torch.Tensor, name: str, role: str, *, trainable: bool = False) -> int:
        return table.add(
            tensor,
            paths,
            name,
            shape=tuple(tensor.shape),
            dtype=dtype_name(tensor.dtype),
            role=role,
            trainable=trainable,
            memory=_memory(tensor),
        )

    masks = _masks(module)
    norm = "Norm" in type(module).__name__
    for name, parameter in module._parameters.items():
        if parameter is not None:
            plain = name.removesuffix("_orig") if name.removesuffix("_orig") in masks else name
            role = {"weight": "scale", "bias": "shift"}.get(plain, plain) if norm else plain
            role = role if role in ("weight", "bias", "scale", "shift") else "weight"
            yield plain, add(parameter, name, role, trainable=parameter.requires_grad)
    for name, tensor in packed_weights(module).items():
        role = "bias" if name.startswith("bias") else "weight"
        yield name, add(tensor, name, role)
    for name, buffer in module._buffers.items():
        if buffer is not None:
            yield name, add(buffer, name, _ROLES.get(name, "buffer"))


def _masks(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return the pruning masks by the name of the pruned weight; a mask need be no buffer."""
    found = {}
    for name in tuple(module._parameters.keys()):  # torch.jit's own tables can't be gone through directly
        pruned = name.removesuffix("_orig")
        if pruned != name:
            mask = module._buffers.get(f"{pruned}_mask", module.__dict__.get(f"{pruned}_mask"))
            if is_a(mask, torch.Tensor):
                found[pruned] = mask
    return found


def native(module: torch.nn.Module) -> dict[str, Value]:
    """Return a module's plain attributes, and the shapes of the weights that rules need."""
    found: dict[str, Value] = {}
    for name, value in module.__dict__.items():
        if name[:1] == "_":
            continue
        if value is None or type(value) in _SCALARS:
            found[name] = value
        elif is_a(value, *_SCALARS, tuple, list) and (plain := _plain(value)) is not None:
            found[name] = plain
    for name in _SHAPED:
        if name in found and name not in module._parameters:
            continue
        shape = _shape_of(module, name)
        if shape is not None or name in _ALWAYS or name in module._parameters:
            found[name] = shape
    found.update(packed_shapes(packed_weights(module)))
    if is_a(module, torch.nn.RNNBase):
        found["weights"] = tuple(
            tuple(_shape_of(module, f"weight_{what}_l{k}") for what in ("ih", "hh"))
            for k in range(module.num_layers)
        )
    masks = {name: _left(mask) for name, mask in _masks(module).items()}
    if masks:
        found["kept"] = {name: left for name, left in masks.items() if left is not None}
    return found


def _plain(value: Any) -> Value:
    if is_a(value, *_SCALARS):
        scalar: Value = value
        return scalar
    if is_a(value, tuple, list):
        items = tuple(_plain(item) for item in value)
        whole = all(i is not None or v is None for i, v in zip(items, value, strict=True))
        return items if whole else None
    return None


def _shape_of(module: torch.nn.Module, name: str) -> tuple[int, ...] | None:
    """Return the shape of a module's tensor; a computed one has that of its source."""
    table: Mapping[str, Any] = module._parameters
    tensor = table[name] if name in table else module.__dict__.get(name)
    parametrized = dict(module._modules.items()).get("parametrizations")
    if tensor is None and is_a(parametrized, torch.nn.ModuleDict) and name in parametrized:
        originals = list(parametrized[name].parameters(recurse=False))
        tensor = max(originals, key=torch.Tensor.numel, default=None)
    return tuple(tensor.shape) if is_a(tensor, torch.Tensor) else None


def _left(mask: torch.Tensor) -> int | None:
    """Return how many elements a pruning mask leaves; the one fact that is in values."""
    return None if mask.is_meta else int(mask.detach().sum())
