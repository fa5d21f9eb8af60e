"""The process during a reading: one at a time, and afterwards as it was."""

from __future__ import annotations

import contextlib
import functools
import logging
import random
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any

import torch
import torch._dynamo.config  # fake tensors import it when first made, which must not be in a reading
from flopledger.frontend import SourceError
from flopledger.frontend import gc_pause as collector
from torch._subclasses.fake_tensor import DataDependentOutputException
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode
from torch.nn.modules import transformer

from flopledger_torch.state import switches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_READING = threading.Lock()
_READER: list[int] = []


@contextlib.contextmanager
def alone(source: str) -> Iterator[None]:
    """Let one thread read at a time, since a reading replaces functions of torch for its length.

    Other threads wait; the functions that they call during a reading are not recorded.

    Raises:
        SourceError: The thread that asks is reading already.
    """
    if threading.get_ident() in _READER:
        raise SourceError(f"{source}: a model's forward can't read another model")
    with _READING, collector.paused():
        _READER.append(threading.get_ident())
        try:
            yield
        finally:
            _READER.clear()


@contextlib.contextmanager
def _uncompiled() -> Iterator[None]:
    """Let compiled functions run as they are written."""
    with warnings.catch_warnings(), torch.compiler.set_stance("force_eager"):
        # That our hooks see both a compiled module and the one inside it is as it should be.
        warnings.filterwarnings(
            "ignore", message=r"Using `torch.compile\(module\)` when there are global hooks"
        )
        yield


@contextlib.contextmanager
def _masks_unchecked() -> Iterator[None]:
    """Let a transformer take a mask as it is where nothing returns whether it is the causal one.

    Whether it is affects a kernel's flags, not the products that it computes.
    """
    plain = transformer._detect_is_causal_mask

    @functools.wraps(plain)
    def detect(*args: Any, **kwargs: Any) -> bool:
        try:
            return plain(*args, **kwargs)
        except (DataDependentOutputException, GuardOnDataDependentSymNode):
            return False

    transformer._detect_is_causal_mask = detect
    try:
        yield
    finally:
        transformer._detect_is_causal_mask = plain


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """Keep torch from logging each error of a stand-in's kernel with its traceback: it is raised as well."""
    logger, reader = logging.getLogger("torch._subclasses.fake_tensor"), threading.get_ident()

    def of_another_thread(record: logging.LogRecord) -> bool:
        return record.thread != reader

    logger.addFilter(of_another_thread)
    try:
        yield
    finally:
        logger.removeFilter(of_another_thread)


@contextlib.contextmanager
def kept(profile: Mapping[str, Any]) -> Iterator[None]:
    """Set the process up for a reading; restore that afterwards, and the state that a forward may change."""
    fast, states = torch.backends.mha.get_fastpath_enabled(), random.getstate()
    device = torch.get_default_device()
    arrays = sys.modules.get("numpy")
    arrays_state = None if arrays is None else arrays.random.get_state()
    torch.backends.mha.set_fastpath_enabled(profile["fast_paths"])
    try:
        with (
            switches.kept(),
            torch.set_grad_enabled(profile["grad"]),
            _uncompiled(),
            _masks_unchecked(),
            _unlogged(),
        ):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        if torch.get_default_device() != device:
            torch.set_default_device(device)
        if arrays is not None:
            arrays.random.set_state(arrays_state)
        random.setstate(states)
