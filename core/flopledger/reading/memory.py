"""The default memory limit of a child process."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

SHARE = 2
"""The part of the machine's memory that a child process may take: one half."""
LEAST = 4 * 2**30
"""The least default limit. Importing a framework and reading a large network with it takes a tenth; on a
machine with many processors each of a framework's threads adds its stack."""
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def machine(cgroups: Path = _CGROUPS, own: Path = _OWN_CGROUP) -> int:
    """Return the bytes of memory of this machine, or of this process's control group where that has fewer."""
    found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in _limits(cgroups, own):
        try:
            found = min(found, int(limit.read_text().strip()))
        except (OSError, ValueError):  # it is not there, or "max"
            continue
    return found


def _limits(cgroups: Path, own: Path) -> list[Path]:
    """Return the files that may limit this process's control group: its own, and the enclosing ones."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:  # the second version of control groups
            group, name = cgroups / path.lstrip("/"), "memory.max"
        elif "memory" in controllers.split(","):
            group, name = cgroups / "memory" / path.lstrip("/"), "memory.limit_in_bytes"
        else:
            continue
        found += [folder / name for folder in (group, *group.parents) if folder.is_relative_to(cgroups)]
    return found


def default_limit() -> int:
    """Return the bytes that a child process may take."""
    return max(machine() // SHARE, LEAST)


def limit_data(most: int) -> None:
    """Limit the memory that this process may write to, its stacks and its heap, but not its mappings.

    Frameworks map their libraries, and CUDA reserves more addresses than a machine has memory, so that a
    limit of the address space (``RLIMIT_AS``) would refuse mappings that take none. Only Linux counts this
    so.
    """
    if sys.platform == "linux":
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
