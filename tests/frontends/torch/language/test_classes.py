"""Every class of transformers' MODEL_FOR_CAUSAL_LM_MAPPING, beside FlopCounterMode: prefill and decode.

A class whose figures are not compared, or differ, is in ``classes.toml`` with the reason; one that is there
and would be equal fails, so that the list stays true.
"""

from __future__ import annotations

import contextlib
import inspect
import tomllib
from pathlib import Path
from typing import Any

import flopledger as fl
import pytest
import torch
from flopledger_torch.language import inputs
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

transformers: Any = pytest.importorskip("transformers", reason="the models are those of transformers")
MAPPING = transformers.models.auto.modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING
LIST = tomllib.loads((Path(__file__).parent / "classes.toml").read_text())
REASONS, CONFIGS, ONLY = LIST["reasons"], LIST["configs"], LIST["only"]
EXECUTED = LIST["weights"]["executed"]
REAL = {*LIST["weights"]["real"], *EXECUTED}
STEPS = ("prefill", "decode")
LISTED = {name: reason for reason, names in REASONS.items() for name in names}
PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "count-a-language-model.md"
LAYERS = (
    "num_hidden_layers", "n_layer", "n_layers", "num_layers", "num_decoder_layers", "decoder_layers",
    "encoder_layers", "num_encoder_layers",
)  # fmt: skip
PROMPT = 7
SMALL = {"vocab_size": 100, "hidden_size": 96, "pad_token_id": 0}
"""Sizes of models with weights: 96 features are a whole number of 12 heads and of 16."""
SOLVES = next(reason for reason in REASONS if reason.startswith("a triangular solve"))
"""The one reason for a difference."""


def classes() -> dict[str, tuple[Any, Any]]:
    """Return the model's and the config's class of each entry, by the model's name."""
    found = {}
    for config, model in MAPPING.items():
        first = model[0] if isinstance(model, tuple) else model
        found.setdefault(first.__name__, (config, first))
    return found


def part(config: Any, model: Any) -> Any:
    """Return the part of a config that a model is made of."""
    parts = getattr(config, "sub_configs", {})
    names = [name for name, kind in parts.items() if kind is model.config_class]
    return getattr(config, names[0]) if names and not isinstance(config, model.config_class) else config


def shrunk(config: Any, model: Any, *, types: bool = True, depth: int = 0) -> Any:
    """Return a config with two layers, of two types where it has types of them."""
    for name, size in SMALL.items() if model.__name__ in REAL else ():
        setattr(config, name, size)
    for name in LAYERS:
        if isinstance(vars(config).get(name), int):
            setattr(config, name, 2)
    given = vars(config).get("layer_types")
    if types and isinstance(given, (list, tuple)):
        config.layer_types = [*dict.fromkeys(given), *given][:2]
    for inner in list(vars(config).values()) if depth < 2 else []:
        if isinstance(inner, transformers.PretrainedConfig):
            shrunk(inner, model, types=types, depth=depth + 1)
    return config


def made(config: Any, model: Any) -> torch.nn.Module:
    """Make a small model, of the first of several configs that make one: on the meta device, unless listed.

    Raises:
        Exception: None does; it is the failure of the first one.
    """
    ways = (
        lambda: shrunk(config(), model),
        lambda: shrunk(config(), model, types=False),
        lambda: part(config(), model),
        lambda: shrunk(part(config(), model), model),
        lambda: shrunk(config().get_text_config(), model),
        lambda: config().get_text_config(),
    )
    if model.__name__ in CONFIGS:
        ways = (lambda: part(config(**CONFIGS[model.__name__]), model),)
    failures = []
    for way in ways:
        try:
            chosen = way()
            chosen._experts_implementation = "batched_mm"  # the one that runs on meta
            if not hasattr(chosen, "pad_token_id"):
                chosen.pad_token_id = 0
            if getattr(chosen, "is_decoder", None) is False:
                chosen.is_decoder = True
            with torch.device(device_of(model)):
                network: torch.nn.Module = model(chosen).eval().requires_grad_(requires_grad=False)
        except Exception as error:  # noqa: BLE001  (a config fails in any way)
            failures.append(error)
        else:
            return network
    raise failures[0]


def device_of(model: Any) -> str:
    """Return where a class is measured: on CPU if its forward reads values."""
    return "cpu" if model.__name__ in REAL else "meta"


def batch_of(network: torch.nn.Module) -> int:
    """Return how many sequences a model is read with."""
    return int(LIST["batch"].get(type(network).__name__, 1))


def measured(network: torch.nn.Module, tokens: int, cache: dict[str, Any]) -> tuple[int, Any]:
    """Return FlopCounterMode's count of a step, in multiply-accumulates, and the step's result."""
    shape, device = (batch_of(network), tokens), device_of(type(network))
    ids = torch.full(shape, 5, dtype=torch.long, device=device)  # no padding
    if "use_cache" in inspect.signature(network.forward).parameters:
        cache = {"use_cache": True, **cache}
    # fused attention has no rule on CPU
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        out = network(input_ids=ids, **cache)
    return counter.get_total_flops() // 2, out


def counted(network: torch.nn.Module, options: dict[str, int], *, solves: bool) -> int:
    """Return our own count of a step, with the products of triangular solves or without."""
    executed = type(network).__name__ in EXECUTED
    graph = fl.read(network, options={"batch": batch_of(network), **options}, execute=executed)
    rows = graph.count("mac").rows
    return sum(int(str(row.count)) for row in rows if solves or row.kind != "triangular_solve")


def equal(config: Any, model: Any, *, solves: bool = True) -> set[str]:
    """Return the steps of which both figures are there and equal."""
    try:
        network = made(config, model)
        expected, out = measured(network, PROMPT, {})
    except Exception:  # noqa: BLE001  (a class that runs nowhere has no figure: the list says why)
        return set()
    steps = {"prefill": lambda: expected, "decode": lambda: decoded(network, out)}
    options = {"prefill": {"seq": PROMPT}, "decode": {"seq": 1, "past": PROMPT}}
    found = set()
    for step, measure in steps.items():
        with contextlib.suppress(Exception):
            if counted(network, options[step], solves=solves) == measure():
                found.add(step)
    return found


def decoded(network: Any, out: Any) -> int:
    """Return FlopCounterMode's count of a decode step after a prompt."""
    found = inputs.cache_of(network, out)
    if found is None:
        found = inputs.new_cache(network, "model")
        measured(network, PROMPT, dict([found]))
    return measured(network, 1, dict([found]))[0]


def test_the_list_names_classes_that_there_are() -> None:
    assert LISTED.keys() <= classes().keys()


def test_the_page_has_each_listed_class_with_its_reason() -> None:
    rows = PAGE.read_text().splitlines()
    for reason, names in REASONS.items():
        assert f"| {', '.join(f'`{name}`' for name in names)} | {reason} |" in rows


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the models, which are not ours
@pytest.mark.parametrize("letter", sorted({name[0] for name in classes()}))
def test_a_class_is_counted_as_measured_or_listed_with_its_reason(letter: str) -> None:
    """A letter at a time: a class alone is a second of work, and would be one test of too many."""
    names = [name for name in classes() if name[0] == letter]
    found = {name: equal(*classes()[name]) for name in names}
    assert found == {
        name: {step for step in STEPS if name not in LISTED or name in ONLY[step]} for name in names
    }
    solving = [name for name in names if LISTED.get(name) == SOLVES]
    found = {name: equal(*classes()[name], solves=False) for name in solving}
    assert found == dict.fromkeys(solving, frozenset(STEPS))
