"""How long reading and counting a PyTorch model take, against counters that run it, and the fake forward.

All are measured in one process, in turn, on the same model and inputs. The floor is the model's forward
on fake tensors, converted from the real ones: what reading without running can't do without.
``--memory`` measures instead the peak memory of a fresh process that reads a model named by a file.
Needs torch and the counters; BERT and Llama need transformers.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flopledger as fl
from flopledger.conventions import loader
from flopledger.reading import profiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "differential"))

CONVENTIONS = (
    "ptflops", "ptflops-aten", "thop", "fvcore", "torch-flop-counter", "torch-flop-counter-no-grad",
    "torchinfo", "torchprofile", "torchstat-flops", "torchstat-madd", "torchsummary", "calflops-flops",
    "calflops-macs",
)  # fmt: skip

RESNET = """import torch_pictures

def make() -> torch_pictures.ResNet:
    return torch_pictures.ResNet((3, 8, 36, 3), deep=True)
"""

LLAMA = """from transformers import LlamaConfig, LlamaForCausalLM

def make() -> LlamaForCausalLM:
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=128256, hidden_size=16384, intermediate_size=53248, num_hidden_layers=126,
        num_attention_heads=128, num_key_value_heads=8, max_position_embeddings=131072,
    ))
"""
"""The sizes of Llama-3.1-405B, after its published configuration."""

MEMORY = {
    "ResNet-152": (RESNET, 60_192_808, "1x3x224x224", "import torch"),
    "Llama-3.1-405B": (
        LLAMA,
        405_853_388_800,
        "input_ids=1x128:int64",
        "import torch; from transformers import LlamaConfig, LlamaForCausalLM",
    ),
}
"""A source, its parameters, its input, and what a bare process imports.

The function says what it returns: one that does not is known to be torch's only after it has allocated.
"""

PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""
"""Prints the peak of the largest of the processes that a command starts, itself included."""

LIMIT = "20G"
"""Address space for a reading: more than any should need, less than would hurt the machine."""


def resnet(*shape: int) -> tuple[Any, Any]:
    """Make ResNet-152 and a picture."""
    import torch  # noqa: PLC0415  (--memory measures processes that import it, and does not itself)
    import torch_pictures  # noqa: PLC0415

    return torch_pictures.ResNet((3, 8, 36, 3), deep=True), torch.rand(shape)


def transformer() -> tuple[Any, Any]:
    """Make ViT-B/16 and a picture."""
    import torch  # noqa: PLC0415
    import torch_pictures  # noqa: PLC0415

    return torch_pictures.VisionTransformer(), torch.rand(1, 3, 224, 224)


def bert() -> tuple[Any, Any]:
    """Make BERT-base and 128 tokens."""
    import torch  # noqa: PLC0415
    from transformers import BertConfig, BertModel  # noqa: PLC0415

    return BertModel(BertConfig()), torch.randint(1000, (1, 128))


def toy() -> tuple[Any, Any]:
    """Make a network of two layers and a picture."""
    import torch  # noqa: PLC0415

    layers = (torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU())
    return torch.nn.Sequential(*layers), torch.rand(1, 3, 224, 224)


MODELS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "resnet152": lambda: resnet(1, 3, 224, 224),
    "resnet152-896": lambda: resnet(1, 3, 896, 896),
    "resnet152-batch32": lambda: resnet(32, 3, 224, 224),
    "vit-b": transformer,
    "bert": bert,
    "toy": toy,
}


def ours(model: Any, given: Any) -> object:
    """Read and count under our own convention."""
    return fl.count(model, given).total


def floor(model: Any, given: Any) -> object:
    """Run the forward on fake tensors, each parameter converted by torch."""
    from torch._subclasses.fake_tensor import FakeTensorMode  # noqa: PLC0415
    from torch.func import functional_call  # noqa: PLC0415

    mode = FakeTensorMode()
    named = (*model.named_parameters(), *model.named_buffers())
    fakes = {name: mode.from_tensor(tensor) for name, tensor in named}
    inputs = (mode.from_tensor(given),)
    with mode:
        return functional_call(model, fakes, inputs)


def bare_floor(model: Any, given: Any) -> object:
    """Run the forward on fake tensors made from meta tensors by hand, as quickly as can be."""
    import torch  # noqa: PLC0415
    from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode  # noqa: PLC0415
    from torch.func import functional_call  # noqa: PLC0415

    mode, cpu = FakeTensorMode(), torch.device("cpu")

    def fake(tensor: Any) -> Any:
        made = FakeTensor(mode, torch.empty_like(tensor, device="meta"), cpu)
        # Without gradients an attention layer in eval is one fused operator, and another forward than ours
        return made.requires_grad_() if tensor.requires_grad else made

    fakes = {name: fake(t) for name, t in (*model.named_parameters(), *model.named_buffers())}
    inputs = (fake(given),)
    with mode:
        return functional_call(model, fakes, inputs)


def ask_ptflops(model: Any, given: Any) -> object:
    """Ask ptflops."""
    from ptflops import get_model_complexity_info  # noqa: PLC0415

    return get_model_complexity_info(
        model,
        (1,),
        as_strings=False,
        print_per_layer_stat=False,
        input_constructor=lambda _: given,
        backend="pytorch",
    )


def ask_thop(model: Any, given: Any) -> object:
    """Ask thop."""
    from thop import profile  # noqa: PLC0415

    return profile(model, inputs=(given,), verbose=False)


def ask_fvcore(model: Any, given: Any) -> object:
    """Ask fvcore."""
    from fvcore.nn import FlopCountAnalysis  # noqa: PLC0415

    return FlopCountAnalysis(model, (given,)).total()


def ask_calflops(model: Any, given: Any) -> object:
    """Ask calflops."""
    from calflops import calculate_flops  # noqa: PLC0415

    return calculate_flops(model, args=[given], print_results=False, output_as_string=False)


def ask_torchinfo(model: Any, given: Any) -> object:
    """Ask torchinfo."""
    import torchinfo  # noqa: PLC0415

    return torchinfo.summary(model, input_data=[given], verbose=0)


def ask_flop_counter(model: Any, given: Any) -> object:
    """Ask torch's own counter."""
    from torch.utils.flop_counter import FlopCounterMode  # noqa: PLC0415

    with FlopCounterMode(display=False) as mode:
        model(given)
    return mode.get_total_flops()


PEERS: dict[str, Callable[[Any, Any], object]] = {
    "fake forward": floor,
    "fake by hand": bare_floor,
    "ptflops": ask_ptflops,
    "thop": ask_thop,
    "fvcore": ask_fvcore,
    "calflops": ask_calflops,
    "torchinfo": ask_torchinfo,
    "FlopCounterMode": ask_flop_counter,
}


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes; what it prints is dropped."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        start = time.perf_counter()
        call()
        return time.perf_counter() - start


def read_and_count(model: Any, given: Any) -> tuple[float, float, int]:
    """Return the seconds of the readings, those of counting all conventions, and the number of readings."""
    loaded = [loader.load(name) for name in CONVENTIONS]
    groups = profiles.profiles(loaded)
    reading = counting = 0.0
    for profile, members in groups:
        start = time.perf_counter()
        graph = fl.read(model, given, profile=profile)
        read = time.perf_counter()
        for one in members:
            graph.count(one)
        reading += read - start
        counting += time.perf_counter() - read
    return reading, counting, len(groups)


def measure(name: str, peers: Iterable[str], runs: int) -> None:
    """Measure one model, each call on a fresh copy since some leave their marks, and print a table."""
    model, given = MODELS[name]()
    model.eval()
    calls = {"flopledger": ours, **{peer: PEERS[peer] for peer in peers}}
    times: dict[str, list[float]] = {peer: [] for peer in calls}
    for _ in range(1 + runs):
        for peer, call in calls.items():
            fresh = copy.deepcopy(model)
            times[peer].append(seconds(lambda: call(fresh, given)))  # noqa: B023  (called at once)
    # The first of each warms up.
    medians = {peer: statistics.median(taken[1:]) for peer, taken in times.items()}
    print(f"\n{name}, batch and sizes {'x'.join(map(str, given.shape))}, medians of {runs}")
    for peer, taken in medians.items():
        print(f"  {peer:20} {taken:8.3f} s {taken / medians['flopledger']:8.2f} times ours")
    triples = [read_and_count(model, given) for _ in range(1 + runs)][1:]
    reading, counting = (statistics.median(t[place] for t in triples) for place in (0, 1))
    number = f"{len(CONVENTIONS)} conventions, {triples[0][2]} readings"
    print(
        f"  {number}: reading {reading:.3f} s, counting {counting:.3f} s, ratio {counting / reading:.3f}",
        flush=True,
    )


def peak(command: list[str]) -> int:
    """Return the peak memory in bytes of a command, or of the largest process that it starts."""
    measured = [sys.executable, "-c", PEAK, *command]
    return int(subprocess.run(measured, stdout=subprocess.PIPE, check=True, text=True).stdout)


def measure_memory(name: str, folder: Path) -> None:
    """Measure the command's reading of a source, and a process that only imports; print both."""
    text, params, given, imports = MEMORY[name]
    source, result = folder / "model.py", folder / "count.json"
    where = str(Path(__file__).parents[1] / "tests" / "differential")
    source.write_text(f"import sys\nsys.path.insert(0, {where!r})\n{text}", encoding="utf-8")
    command = [sys.executable, "-m", "flopledger", "count", f"{source}:make", "-i", given]
    whole = [*command, "--format", "json", "-o", str(result), "--memory-limit", LIMIT]
    bare = peak([sys.executable, "-c", imports])
    read = peak(whole)
    found = json.loads(result.read_text(encoding="utf-8"))["ledgers"][0]["total"]["params"]
    if found != params:
        sys.exit(f"{name} was counted with {found} parameters, expected {params}")
    print(f"{name}: {read / 1e6:.0f} MB; {imports}: {bare / 1e6:.0f} MB; more: {(read - bare) / 1e6:.0f} MB")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS))
    parser.add_argument("--memory", nargs="*", choices=MEMORY, help="measure memory instead")
    options = parser.parse_args()
    if options.memory is not None:
        with tempfile.TemporaryDirectory() as folder:
            for name in options.memory or MEMORY:
                measure_memory(name, Path(folder))
        return
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    for name in options.models:
        measure(name, options.peers, options.runs)


if __name__ == "__main__":
    main()
