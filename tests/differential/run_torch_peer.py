"""Asks one PyTorch counter about the probes, in a process of its own, and prints its answers as JSON.

    python run_torch_peer.py TOOL [PROBE ...]

An answer is, for each convention that the tool has, its count and its parameters (null where it has no
figure), or the error that it ended with. None of the tools needs torchvision for what is asked here.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import logging
import re
import sys
import warnings
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch_probes import every_probe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from torch_probes import Build

    Figures = tuple[Any, Any]
    Answers = dict[str, Figures]

OWNERS = (F, torch, torch.Tensor)


class Refused(Exception):  # noqa: N818  (it is an answer)
    """The tool has no figure for this."""


def ptflops(model: nn.Module, inputs: dict[str, Any], backend: str) -> Figures:
    from ptflops import get_model_complexity_info

    def construct(_: Any) -> Any:
        return dict(inputs) if len(inputs) > 1 else next(iter(inputs.values()))

    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        macs, params = get_model_complexity_info(
            model,
            (1,),
            as_strings=False,
            print_per_layer_stat=False,
            input_constructor=construct,
            backend=backend,
        )
    if macs is None:
        raise Refused("".join(re.findall(r"exception: \n(.*)", said.getvalue())))
    return macs, params


def ask_ptflops(build: Build) -> Answers:
    return {"ptflops": ptflops(*build(), backend="pytorch")}


def ask_ptflops_aten(build: Build) -> Answers:
    return {"ptflops-aten": ptflops(*build(), backend="aten")}


def ask_thop(build: Build) -> Answers:
    from thop import profile

    model, inputs = build()
    macs, params = profile(model, inputs=tuple(inputs.values()), verbose=False)
    return {"thop": (macs, params)}


def ask_fvcore(build: Build) -> Answers:
    from fvcore.nn import FlopCountAnalysis, parameter_count

    model, inputs = build()
    params = parameter_count(model)[""]
    return {"fvcore": (FlopCountAnalysis(model, tuple(inputs.values())).total(), params)}


def ask_flop_counter(build: Build) -> Answers:
    from torch.utils.flop_counter import FlopCounterMode

    found = {}
    for name, grad in (("torch-flop-counter", True), ("torch-flop-counter-no-grad", False)):
        model, inputs = build()
        with torch.set_grad_enabled(grad), FlopCounterMode(display=False) as mode:
            model(*inputs.values())
        found[name] = (mode.get_total_flops(), None)
    return found


def ask_torchinfo(build: Build) -> Answers:
    import torchinfo

    model, inputs = build()
    found = torchinfo.summary(model, input_data=list(inputs.values()), verbose=0)
    return {
        "torchinfo": (found.total_mult_adds, found.total_params),
        "torchinfo-size": (found.total_output_bytes, found.total_params),
    }


def ask_torchprofile(build: Build) -> Answers:
    from torchprofile import profile_macs

    model, inputs = build()
    return {"torchprofile": (profile_macs(model, tuple(inputs.values())), None)}


def ask_torchstat(build: Build) -> Answers:
    """Drive its hook and its tree: its own report fails with any current pandas, after counting."""
    from torchstat.model_hook import ModelHook
    from torchstat.statistics import convert_leaf_modules_to_stat_tree

    model, inputs = build()
    (given,) = inputs.values()
    if given.shape[0] != 1 or not given.is_floating_point():
        raise Refused("it makes an input of random numbers with a batch of 1")
    classes = {type(module): vars(type(module)).get("__call__") for module in model.modules()}
    try:
        hook = ModelHook(model, tuple(given.shape[1:]))
        nodes = convert_leaf_modules_to_stat_tree(hook.retrieve_leaf_modules()).get_collected_stat_nodes(1)
    finally:
        for cls, call in classes.items():
            if call is None and "__call__" in vars(cls):
                del cls.__call__
    params = sum(int(node.parameter_quantity) for node in nodes)
    return {
        "torchstat-flops": (sum(int(node.Flops) for node in nodes), params),
        "torchstat-madd": (sum(int(node.MAdd) for node in nodes), params),
        "torchstat-memory": (round(sum(float(node.inference_memory) for node in nodes) * 2**20), params),
        "torchstat-memrw": (sum(int(size) for node in nodes for size in node.Memory), params),
    }


def ask_torchsummary(build: Build) -> Answers:
    import torchsummary

    model, inputs = build()
    if not all(tensor.is_floating_point() for tensor in inputs.values()):
        raise Refused("it makes inputs of random numbers")
    said, sizes = io.StringIO(), [tuple(t.shape[1:]) for t in inputs.values()]
    batch = next(iter(inputs.values())).shape[0]
    with contextlib.redirect_stdout(said), local("summary", "total_output") as elements:
        torchsummary.summary(model, sizes, batch_size=batch, device="cpu")
    found = re.search(r"Total params: ([\d,]+)", said.getvalue())
    assert found, said.getvalue()
    count = int(found[1].replace(",", ""))
    return {"torchsummary": (count, count), "torchsummary-size": (abs(8 * int(elements[0])), count)}


@contextlib.contextmanager
def local(function: str, name: str) -> Iterator[list[Any]]:
    """Return the last value of a local variable of a function, where a tool prints it rounded."""
    found: list[Any] = []

    def look(frame: FrameType, event: str, _: Any) -> None:
        if event == "return" and frame.f_code.co_name == function and name in frame.f_locals:
            found.append(frame.f_locals[name])

    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(None)


def ask_accelerate(build: Build) -> Answers:
    from accelerate.utils.modeling import calculate_maximum_sizes

    model, _ = build()
    params = sum(parameter.numel() for parameter in model.parameters())
    return {"accelerate-estimate": (calculate_maximum_sizes(model)[0], params)}


def ask_calflops(build: Build) -> Answers:
    import calflops.calculate_pipline as state
    from calflops import calculate_flops

    model, inputs = build()
    spare = not list(model.parameters())
    if spare:  # it looks at the first one for a device, and fails where there is none
        model.register_parameter("spare", nn.Parameter(torch.zeros(1)))
    for left_over in (state.module_flop_count, state.module_mac_count, state.old_functions):
        left_over.clear()
    flops, macs, params = calculate_flops(
        model, args=list(inputs.values()), print_results=False, output_as_string=False
    )
    params -= spare
    return {"calflops-flops": (flops, params), "calflops-macs": (macs, params)}


TOOLS: dict[str, tuple[Callable[[Build], Answers], str]] = {
    "ptflops": (ask_ptflops, "ptflops"),
    "ptflops-aten": (ask_ptflops_aten, "ptflops"),
    "thop": (ask_thop, "thop"),
    "fvcore": (ask_fvcore, "fvcore"),
    "torch-flop-counter": (ask_flop_counter, "torch"),
    "torchinfo": (ask_torchinfo, "torchinfo"),
    "torchprofile": (ask_torchprofile, "torchprofile"),
    "torchstat": (ask_torchstat, "torchstat"),
    "torchsummary": (ask_torchsummary, "torchsummary"),
    "calflops": (ask_calflops, "calflops"),
    "accelerate-estimate": (ask_accelerate, "accelerate"),
}
"""The tools by name: how to ask one, and the distribution that it comes in."""


@contextlib.contextmanager
def functions_restored() -> Iterator[None]:
    """Put back the functions of torch that a tool replaced and, having failed, left replaced."""
    before = [(owner, dict(vars(owner))) for owner in OWNERS]
    try:
        yield
    finally:
        for owner, found in before:
            for name in vars(owner).keys() - found.keys():
                delattr(owner, name)
            for name, value in found.items():
                if vars(owner).get(name) is not value:
                    setattr(owner, name, value)


def plain(value: Any) -> Any:
    """Return a figure as JSON holds it: whole where it is."""
    value = value.item() if hasattr(value, "item") else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def answer(ask: Callable[[Build], Answers], build: Build) -> dict[str, Any]:
    """Return a tool's answer about one probe."""
    torch.manual_seed(0)
    quiet = io.StringIO()
    with functions_restored(), contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        try:
            found = ask(build)
        except Exception as error:  # noqa: BLE001  (a tool fails in any way)
            cause = error.__cause__ or error
            return {"error": f"{type(cause).__name__}: {cause}".splitlines()[0][:100].rstrip()}
    return {name: [plain(figure) for figure in figures] for name, figures in found.items()}


def main(tool: str, wanted: list[str]) -> None:
    """Ask one tool."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    torch.set_num_threads(1)
    ask, distribution = TOOLS[tool]
    probes = every_probe()
    names = ("torch", "numpy", "transformers", distribution)
    versions = {name: importlib.metadata.version(name) for name in sorted(set(names))}
    answers = {name: answer(ask, probes[name]) for name in wanted or probes}
    json.dump({"tool": tool, "versions": versions, "answers": answers}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
