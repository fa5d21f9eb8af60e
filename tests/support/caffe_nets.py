"""Published networks as prototxt, written out from the tables of their papers."""

from __future__ import annotations

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
"""ResNet-50: the width and the number of the bottlenecks of each stage (He et al., 2015, table 1)."""


class Net:
    """Writes layers one after the other; each returns the name of its top."""

    def __init__(self, channels: int, size: int) -> None:
        self.lines = [f'input: "data" input_shape {{ dim: 1 dim: {channels} dim: {size} dim: {size} }}']

    def layer(self, name: str, kind: str, *bottoms: str, params: str = "") -> str:
        below = " ".join(f'bottom: "{bottom}"' for bottom in bottoms)
        self.lines.append(f'layer {{ name: "{name}" type: "{kind}" {below} top: "{name}" {params} }}')
        return name

    def conv(  # noqa: PLR0913  (a convolution has as many sizes)
        self, name: str, bottom: str, out: int, kernel: int, stride: int = 1, *, bias: bool = False
    ) -> str:
        params = (
            f"convolution_param {{ num_output: {out} kernel_size: {kernel} stride: {stride} "
            f"pad: {kernel // 2} bias_term: {str(bias).lower()} }}"
        )
        return self.layer(name, "Convolution", bottom, params=params)

    def normed(  # noqa: PLR0913
        self, name: str, bottom: str, out: int, kernel: int, stride: int = 1, *, bias: bool = False
    ) -> str:
        """A convolution, Caffe's BatchNorm that only normalises, and the Scale behind it."""
        top = self.layer(f"{name}/bn", "BatchNorm", self.conv(name, bottom, out, kernel, stride, bias=bias))
        return self.layer(f"{name}/scale", "Scale", top, params="scale_param { bias_term: true }")

    def relu(self, bottom: str) -> str:
        return self.layer(f"{bottom}/relu", "ReLU", bottom)

    def dense(self, name: str, bottom: str, out: int) -> str:
        return self.layer(name, "InnerProduct", bottom, params=f"inner_product_param {{ num_output: {out} }}")

    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


def resnet50(*, version: float, bias: bool = False) -> str:
    """ResNet-50; version 1 has the stride in the first 1x1 of a stage, version 1.5 in its 3x3."""
    net = Net(3, 224)
    top = net.relu(net.normed("conv1", "data", 64, 7, 2, bias=bias))
    pool = "pooling_param { pool: MAX kernel_size: 3 stride: 2 pad: 1 round_mode: FLOOR }"
    top = net.layer("pool1", "Pooling", top, params=pool)
    for stage, (width, depth) in enumerate(STAGES, 2):
        for place in range(depth):
            stride = 2 if stage > 2 and place == 0 else 1
            top = _bottleneck(net, f"{stage}{'abcdef'[place]}", top, width, stride, version, bias=bias)
    top = net.layer("pool5", "Pooling", top, params="pooling_param { pool: AVE global_pooling: true }")
    net.dense("fc1000", top, 1000)
    return net.text()


def _bottleneck(  # noqa: PLR0913, PLR0917
    net: Net, name: str, below: str, width: int, stride: int, version: float, *, bias: bool
) -> str:
    first, second = (stride, 1) if version == 1 else (1, stride)
    top = net.relu(net.normed(f"{name}/1x1", below, width, 1, first, bias=bias))
    top = net.relu(net.normed(f"{name}/3x3", top, width, 3, second, bias=bias))
    top = net.normed(f"{name}/out", top, 4 * width, 1, bias=bias)
    if name.endswith("a"):
        below = net.normed(f"{name}/short", below, 4 * width, 1, stride, bias=bias)
    return net.relu(net.layer(f"{name}/sum", "Eltwise", top, below))
