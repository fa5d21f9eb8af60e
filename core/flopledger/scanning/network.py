"""One network of a scan: how it is read, and which parts are kept."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger import input_files
from flopledger.frontend.request import Request
from flopledger.frontend.specs import parse_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

HASHED = 64 * 2**20
"""Files up to this size are distinguished by their content, larger ones by their size and time of change."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network of a scan.

    Attributes:
        name: What the table calls it.
        source: The source, as the command line takes it.
        frontend: The frontend that reads it, if that is settled; its framework is imported once for all.
        arguments: The arguments that make the model.
        inputs: Specs of the inputs; empty where the source states its own.
        options: The other options of reading: ``mode``, ``phase``, ``stage``, ``level``, ``execute``.
        registry: The registry that lists it, and its version; both empty for a file.
        published: The figures that the registry states, as texts.
    """

    name: str
    source: str
    frontend: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    registry: str = ""
    registry_version: str = ""
    published: Mapping[str, str] = field(default_factory=dict)

    def request(self) -> Request:
        """Return how it is read.

        Raises:
            UsageError: A spec is malformed.
        """
        options = dict(self.options)
        mode, execute = options.pop("mode", None), bool(options.pop("execute", False))
        return Request(
            source=self.source,
            inputs=tuple(map(parse_spec, self.inputs)),
            arguments=self.arguments,
            profile={"mode": mode} if mode else {},
            options=options,
            execute=execute,
            frontend=self.frontend or None,
        )

    def key(self, versions: str) -> str:
        """Return its key: equal keys, the same reading.

        Args:
            versions: The versions of the framework that reads it.
        """
        content = {
            "source": self.source,
            "content": _content(self.source),
            "arguments": self.arguments,
            "inputs": self.inputs,
            "options": self.options,
            "registry": f"{self.registry} {self.registry_version}".strip(),
            "framework": versions,
        }
        written = json.dumps(content, sort_keys=True, default=repr)
        return hashlib.sha256(written.encode()).hexdigest()[:32]


def _content(source: str) -> str:
    """Return the state of a source's own file, equal while the file is; empty where it is no file."""
    path = Path(source)
    if source.rpartition(":")[0].endswith(".py"):
        path = Path(source.rpartition(":")[0])
    try:
        found = path.stat()
        if found.st_size > HASHED or input_files.kind(str(path)):
            return f"{found.st_size} {found.st_mtime_ns}"
        with input_files.open_regular(path) as stream:
            return hashlib.sha256(stream.read(HASHED + 1)).hexdigest()
    except (OSError, ValueError):
        return ""
