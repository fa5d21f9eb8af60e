"""One network of a scan: how it is read, and which parts are kept."""

from __future__ import annotations

import hashlib
import json
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from flopledger import input_files
from flopledger.frontend.request import Request
from flopledger.frontend.specs import parse_spec
from flopledger.records import dataclass
from flopledger.scanning import options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

HASHED = 64 * 2**20
"""Files up to this size are distinguished by their content, larger ones by their size and time of change."""
_NOT_OF_FRONTENDS = ("mode", "step", "execute", "size", "device")
"""The options that a request has elsewhere than among those for single frontends."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network of a scan.

    Attributes:
        name: What the table calls it.
        source: The source, as the command line takes it.
        frontend: The frontend that reads it, if that is settled; its framework is imported once for all.
        arguments: The arguments that make the model.
        inputs: Specs of the inputs; empty where the source states its own.
        options: The other options, of :data:`flopledger.scanning.options.NAMES`, in their one form.
        registry: The registry that lists it, and its version; both empty for a file.
        published: The figures that the registry states, as texts.
    """

    name: str
    source: str
    frontend: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    registry: str = ""
    registry_version: str = ""
    published: Mapping[str, str] = field(default_factory=dict)

    def request(self) -> Request:
        """Return how it is read.

        Raises:
            UsageError: A spec is malformed.
        """
        given = {name: value for name, value in self.options.items() if name not in _NOT_OF_FRONTENDS}
        sizes = {name: options.size(given[name]) for name in options.STEP_SIZES if name in given}
        return Request(
            source=self.source,
            inputs=tuple(map(parse_spec, self.inputs)),
            arguments=self.arguments,
            profile={name: self.options[name] for name in ("mode", "step") if name in self.options},
            options=given | sizes,
            execute=bool(self.options.get("execute", False)),
            frontend=self.frontend or None,
            sizes=self.options.get("size", {}),
        )

    @property
    def device(self) -> str:
        """The device that the time is bounded on; empty for none."""
        return str(self.options.get("device", ""))

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
        if self.device:
            content["device"] = _content(self.device)
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
