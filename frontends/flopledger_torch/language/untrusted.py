"""Bounds on the effects of an untrusted model's config while the model is built.

A config is data, but the library that builds its model also takes names of files, of weights and of code
from it: kernels for attention, checkpoints of a backbone. Entries that name code are left out; and while the
model is built, nothing but installed code is opened, nothing is unpickled, no process is started and no
network is used, whichever entry asks for it.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flopledger.frontend import SourceError, shown
from torch.nn.modules.module import register_module_module_registration_hook

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

_CODE = frozenset(
    (
        *("attn_implementation", "_attn_implementation", "_attn_implementation_internal", "use_kernels"),
        *("experts_implementation", "_experts_implementation", "_experts_implementation_internal"),
        *("auto_map", "trust_remote_code", "custom_pipelines"),
    )
)
"""Entries that can name code to fetch and run; the library's own names of kernels among them are kept."""
_BUILT_IN = ("eager", "sdpa")
_MOST_MODULES = 300_000
"""Modules of one model: DeepSeek-V3 with each of its experts apart has some 50,000."""
_MOST_OF_A_KIND = 1_000_000
"""Layers, heads or experts: lists of this length are made before any module is."""
_OF_THE_MACHINE = re.compile(
    r"/proc/(cpuinfo|meminfo|stat|sys/kernel/random/boot_id|[0-9]+/(cgroup|maps|status))"
    r"|/sys/(devices/system/cpu|fs/cgroup)/[^\n]*|/dev/(null|urandom)"
)
"""The files that libraries read of the machine when they are imported: its cores, memory and mappings.

None of these holds a secret, acts when it is opened, or has a reader wait; others below /proc and /dev do.
"""
_REFUSED = frozenset(
    (
        *("pickle.find_class", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"),
        *("socket.connect", "socket.getaddrinfo", "socket.sendto"),
    )
)
_OPENING = ("open", "ctypes.dlopen")
_WATCHED: set[int] = set()
"""The threads that build a model now."""


def without_code(value: Any, source: str) -> Any:
    """Return a config without the entries that can name code, at any depth.

    Raises:
        SourceError: It asks for more layers, heads or experts than a network can have.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            if key.startswith(("num_", "n_")) and type(item) is int and item > _MOST_OF_A_KIND:
                raise SourceError(f"{source}: {key} is {shown(item)}, expected at most {_MOST_OF_A_KIND}")
        return {
            key: without_code(item, source)
            for key, item in value.items()
            if key not in _CODE or (isinstance(item, str) and item in _BUILT_IN)
        }
    return [without_code(item, source) for item in value] if isinstance(value, list) else value


@contextlib.contextmanager
def closed(source: str) -> Iterator[None]:
    """Let a model be built from installed code alone, of a bounded number of modules.

    Raises:
        SourceError: Something else was asked for.
    """
    _arm()
    made = 0

    def count(*_: Any) -> None:
        nonlocal made
        made += 1
        if threading.get_ident() in _WATCHED and made > _MOST_MODULES:
            raise SourceError(f"{source}: its config asks for more than {_MOST_MODULES} modules")

    hook: torch.utils.hooks.RemovableHandle = register_module_module_registration_hook(count)
    _WATCHED.add(threading.get_ident())
    try:
        yield
    except _Refused as refused:
        raise SourceError(f"{source}: its config leads to {refused}, which no config may") from None
    finally:
        _WATCHED.discard(threading.get_ident())
        hook.remove()


class _Refused(Exception):  # noqa: N818  (no error of ours: it becomes one)
    """An action that building a model must not take, in words."""


def _arm() -> None:
    """Hook into Python's audited actions; a hook can't be removed, so there is one for all models."""
    if not _ARMED:
        _ARMED.append(True)
        sys.addaudithook(_audited)


_ARMED: list[bool] = []


def _audited(event: str, arguments: tuple[Any, ...]) -> None:
    if not _WATCHED or threading.get_ident() not in _WATCHED:
        return
    if event in _REFUSED:
        raise _Refused(f"the action {event}")
    if event in _OPENING and isinstance(arguments[0], (str, bytes, os.PathLike)):
        named = os.fsdecode(arguments[0])
        if event == "ctypes.dlopen" and "/" not in named:
            return  # one of the system's libraries
        path = os.path.realpath(named)
        if not path.startswith(_installed()) and not _OF_THE_MACHINE.fullmatch(path):
            raise _Refused(f"the file {shown(path)}")


def _installed() -> tuple[str, ...]:
    """Return the folders of installed code; the current folder, which others may write to, is none."""
    here = str(Path.cwd())
    found = {os.path.realpath(one) for one in (*sys.path, sys.prefix, sys.base_prefix) if one}
    return tuple(f"{one}/" for one in found if one not in (here, "/"))
