"""Random networks as PyTorch is read: layers, the functions that they call, the ops below, native facts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flopledger.frontend.builder import GraphBuilder
from flopledger.graph.tables import Module, Parameter, Reading, TensorRef
from flopledger.kinds import builtin
from hypothesis import strategies as st

if TYPE_CHECKING:
    from flopledger.dims.types import Shape
    from flopledger.graph.graph import Graph
    from flopledger.graph.tables import Value

F = "torch.nn.functional"
PROFILE = {"mode": "eval", "grad": True, "fast_paths": True}
BATCH_NORM = ("weight", "bias", "running_mean", "running_var")


class Network:
    """A network in the making: each method adds a layer behind the last tensor."""

    def __init__(self, image: Shape) -> None:
        self.b = GraphBuilder(builtin())
        self.x = self.b.input("x", image)
        self.b.modules.append(
            Module(0, ("",), "net.Net", ("torch.nn.Module",), native={"weight": None, "bias": None})
        )
        self.top = self.b.layer("", "container", "net.Net", module=0, inputs=(self.x,), native=self.args())
        self.calls: dict[int, int] = {}

    @property
    def shape(self) -> Shape:
        return self.b.tensors[self.x].shape or ()

    def args(self, *more: Value) -> dict[str, Value]:
        return {"args": (TensorRef(self.x), *more)}

    def module(
        self, source: str, weights: dict[str, Shape], native: dict[str, Value], *, frozen: bool, parents: int
    ) -> int:
        """Register a module, under the network and so many boxes; a box is never called."""
        index, own = len(self.b.modules), []
        for name, shape in weights.items():
            i = len(self.b.parameters)
            role = name if name in ("bias", "running_mean", "running_var") else "weight"
            self.b.parameters.append(
                Parameter(
                    i, (f"m{index}.{name}",), shape, role=role, trainable=not frozen, object=i, storage=i
                )
            )
            own.append((name, i))
        known: dict[str, Value] = {"weight": weights.get("weight"), "bias": weights.get("bias"), **native}
        self.b.modules.append(
            Module(index, (f"m{index}",), source, ("torch.nn.Module",), parameters=tuple(own), native=known)
        )
        boxes = range(len(self.b.modules), len(self.b.modules) + parents)
        for box in boxes:
            self.b.modules.append(
                Module(
                    box,
                    (f"m{box}",),
                    "torch.nn.ModuleList",
                    children=(index,),
                    native={"weight": None, "bias": None},
                )
            )
        root = self.b.modules[0]
        self.b.modules[0] = replace(root, children=(*root.children, index, *boxes))
        return index

    def call(
        self, module: int, kind: str, attrs: dict[str, Value], function: str, ops: tuple[str, ...]
    ) -> None:
        """Call a module: it calls a function, which lowers to ops, each inside of the one before."""
        given = self.x
        gives = self.b.tensor(self.b.infer(kind, attrs, [given], kind)[0])
        self.calls[module] = self.calls.get(module, 0) + 1
        source = self.b.modules[module].type
        told = {"inputs": (given,), "outputs": (gives,), "attrs": attrs}
        around = self.b.layer(
            f"m{module}",
            kind,
            source,
            parent=self.top,
            module=module,
            index=self.calls[module],
            native=self.args(),
            **told,
        )
        weight = {**self._tensor(module, "weight"), "bias": None, **self._tensor(module, "bias")}
        around = self.b.layer(
            f"m{module}/{function}", kind, f"{F}.{function}", level="function", parent=around,
            native={"input": TensorRef(given), **weight, **self.args(*weight.values())}, **told,
        )  # fmt: skip
        for place, op in enumerate(ops, 1):
            around = self.b.layer(
                f"m{module}/{function}/{place}", kind, op, level="op", parent=around,
                composite=place < len(ops), native=self._op(op, given, weight), **told,
            )  # fmt: skip
        self.x = gives

    def _op(self, op: str, given: int, weight: dict[str, Value]) -> dict[str, Value]:
        if op == "aten.addmm.default":
            rows = (self.b.tensors[given].shape or ())[-1]
            turned = TensorRef(self.b.tensor((rows, self._shape_of(weight)[0])))
            bias = TensorRef(self.b.tensor(self._shape_of(weight)[:1]))
            return {
                "self": bias,
                "mat1": TensorRef(given),
                "mat2": turned,
                "args": (bias, TensorRef(given), turned),
            }
        same = {"input": TensorRef(given), "self": TensorRef(given), "transposed": False, "training": False}
        return {**same, **weight, **self.args(*weight.values())}

    def _shape_of(self, weight: dict[str, Value]) -> Shape:
        ref = weight["weight"]
        return (self.b.tensors[ref.id].shape or ()) if isinstance(ref, TensorRef) else ()

    def _tensor(self, module: int, name: str) -> dict[str, Value]:
        for own, i in self.b.modules[module].parameters:
            if own == name:
                return {name: TensorRef(self.b.tensor(self.b.parameters[i].shape))}
        return {}

    def twice(self, source: str, kind: str, op: str) -> None:
        """Call a function on the last tensor and itself."""
        ref, (gives,) = TensorRef(self.x), (self.b.tensor(self.b.infer(kind, {}, [self.x, self.x], kind)[0]),)
        told = {"inputs": (self.x, self.x), "outputs": (gives,)}
        native = {"input": ref, "self": ref, "other": ref, "args": (ref, ref)}
        around = self.b.layer(kind, kind, source, level="function", parent=self.top, native=native, **told)
        self.b.layer(f"{kind}/op", kind, op, level="op", parent=around, native=native, **told)
        self.x = gives

    def graph(self) -> Graph:
        return self.b.build(Reading("drawn", "torch", "torch", "2", PROFILE), (self.x,))


def add_conv(net: Network, out: int, kernel: int, *, bias: bool, **how: object) -> int:
    channels = net.shape[1]
    weights: dict[str, Shape] = {
        "weight": (out, channels, kernel, kernel),
        **({"bias": (out,)} if bias else {}),
    }
    native: dict[str, Value] = {
        "in_channels": channels, "out_channels": out, "kernel_size": (kernel, kernel), "groups": 1,
        "stride": (1, 1), "padding": (kernel // 2,) * 2, "dilation": (1, 1), "transposed": False,
    }  # fmt: skip
    module = net.module("torch.nn.Conv2d", weights, native, **how)
    call_conv(net, module)
    return module


def call_conv(net: Network, module: int) -> None:
    native = net.b.modules[module].native
    attrs: dict[str, Value] = {
        "kernel": native["kernel_size"], "out_channels": native["out_channels"], "padding": native["padding"],
        "bias": native["bias"] is not None,
    }  # fmt: skip
    net.call(module, "conv", attrs, "conv2d", ("aten.conv2d.default", "aten.convolution.default"))


def add_norm(net: Network, **how: object) -> None:
    channels = net.shape[1]
    weights = dict.fromkeys(BATCH_NORM, (channels,))
    native: dict[str, Value] = {"num_features": channels, "affine": True, "training": False}
    module = net.module("torch.nn.BatchNorm2d", weights, native, **how)
    ops = ("aten.batch_norm.default", "aten.native_batch_norm.default")
    net.call(module, "batch_norm", {}, "batch_norm", ops)


def add_relu(net: Network, **how: object) -> None:
    net.call(net.module("torch.nn.ReLU", {}, {}, **how), "relu", {}, "relu", ("aten.relu.default",))


def add_linear(net: Network, out: int, **how: object) -> None:
    rows = net.shape[-1]
    native: dict[str, Value] = {"in_features": rows, "out_features": out}
    module = net.module("torch.nn.Linear", {"weight": (out, rows), "bias": (out,)}, native, **how)
    ops = ("aten.linear.default", "aten.addmm.default")
    net.call(module, "linear", {"out_features": out, "bias": True}, "linear", ops)


@st.composite
def torch_graphs(draw: st.DrawFn) -> Graph:
    """Draw a network of images, then of vectors, with reuse, sharing, frozen and uncalled modules."""
    net = Network((draw(st.integers(1, 3)), draw(st.integers(1, 4)), 4, 4))
    for _ in range(draw(st.integers(0, 4))):
        how = {"frozen": draw(st.booleans()), "parents": draw(st.integers(0, 1))}
        match draw(st.sampled_from(("conv", "again", "norm", "relu", "add"))):
            case "conv":
                add_conv(
                    net,
                    draw(st.integers(1, 4)),
                    draw(st.sampled_from((1, 3))),
                    bias=draw(st.booleans()),
                    **how,
                )
            case "again":
                call_conv(net, add_conv(net, int(net.shape[1]), 1, bias=True, **how))
            case "norm":
                add_norm(net, **how)
            case "relu":
                add_relu(net, **how)
            case "add":
                net.twice("torch.Tensor.__add__", "add", "aten.add.Tensor")
    net.module(
        "torch.nn.Linear", {"weight": (2, 3)}, {"in_features": 3, "out_features": 2}, frozen=False, parents=0
    )
    net.x = net.b.tensor((net.shape[0], 16 * net.shape[1]))
    if draw(st.booleans()):
        add_linear(net, draw(st.integers(1, 5)), frozen=draw(st.booleans()), parents=draw(st.integers(0, 1)))
    return net.graph()
