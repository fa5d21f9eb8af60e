"""Checks what the configuration of a model in a file names: classes of Keras that compute, or the user's own.

Keras follows a configuration: it imports modules, calls the functions that it names, unmarshals
functions and opens the files that layers name. How much of that its safe mode refuses differs from
release to release (up to 3.14 nothing of it in the older format), so nothing here relies on it: the
configuration is checked as data, against a list of what is allowed, before Keras sees any of it.
"""

from __future__ import annotations

import re
import sys
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

import keras
from flopledger.frontend import SourceError, dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_OBJECTS = 1 << 17
"""The most objects that a configuration may name; NASNetLarge, the longest that Keras ships, has 5,000."""

_HOMES = re.compile(
    r"keras\.src\.(layers|models|ops|initializers|regularizers|constraints|activations|dtype_policies"
    r"|mixed_precision|quantizers|legacy\.layers|random\.seed_generator)(\.|$)"
)
"""Modules of the classes that a model is made of. Not among them: losses, metrics and optimizers, which no
layer needs, and wrappers of another framework (TFSMLayer, TorchModuleWrapper, JaxLayer, FlaxLayer), whose
configuration is a pickle, a function or the path of a saved model."""

_LAYERS = re.compile(r"keras\.src\.(layers|models|ops|legacy\.layers)(\.|$)")
"""The public ones among these modules, whose names a user knows."""

_ACTIVATIONS = "keras.src.activations.activations"

_MODULES = (
    "keras", "keras.layers", "keras.models", "keras.initializers", "keras.regularizers", "keras.constraints",
    "keras.activations", "keras.dtype_policies", "keras.quantizers", "keras.random", "keras.mixed_precision",
    "keras.src.models", "keras.src.layers",
)  # fmt: skip
"""Modules of Keras that have such classes: the public ones, and those where the older format, which names
no module, finds classes that are not public, such as Functional. Such a name is sought in all of them."""

_DATA = ("__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__")
"""Words that mean plain data in place of a class."""

_DTYPE = re.compile(r"(bool|string|bfloat16|u?int\d{1,2}|float\d{1,3}(_\w{1,12})?|complex\d{2,3})")

_FILES = re.compile(
    r"(^|_)(vocab|vocabulary|file|files|filename|filenames|filepath|path|paths|dir|directory|folder|asset"
    r"|assets|url|urls|uri|checkpoint|ckpt|merges|proto|weights)(_|$)"
)
"""Names of arguments that name a file."""

_PATH = re.compile(r"/.|~|\.{1,2}[/\\]|\\\\|[A-Za-z]:[/\\]|[A-Za-z][A-Za-z0-9+.-]*:/", re.DOTALL)
"""The beginning of a text that is a path or an address, whatever the argument is called."""

_VOCABULARY = re.compile(r"(^|_)(vocab|vocabulary|merges)(_|$)")
"""Names of arguments that name a file where they are one text, and hold words where they are a list,
"/home" and "http://" among them."""

_NAMES = ("name", "class_name", "registered_name", "module")
"""The keys of names, which may begin with anything."""

_WRAPPERS = ("config", "value", "items")
"""The context of an argument's value."""

_SHOWN = 80


@dataclass(slots=True)
class _Place:
    """A value in a configuration, the layer that it belongs to, and the argument that it is."""

    value: Any
    layer: str = "the model"
    argument: str = ""
    listed: bool = False


class Guard:
    """Checks one configuration of a model.

    Args:
        where: The file, as messages name it.
        known: The user's own classes and functions, by the name that a configuration has for them.
    """

    modules: tuple[str, ...] = _MODULES
    homes = _HOMES

    def __init__(self, where: str, known: Mapping[str, Any]) -> None:
        self.where = where
        self.known = known

    def check(self, config: dict[str, Any]) -> None:
        """Check a configuration, and remove the entries that only training needs.

        Raises:
            SourceError: It holds code, names a file, or names neither a class of Keras that
                computes nor one of the user's own; the message names the layer.
        """
        waiting = [_Place(config)]
        objects = 0
        while waiting:
            place = waiting.pop()
            value = place.value
            if isinstance(value, str):
                self._text(place)
            elif isinstance(value, list):
                waiting += (_Place(item, place.layer, place.argument, listed=True) for item in value)
            elif isinstance(value, dict):
                waiting += self._inside(place)
                objects += "class_name" in value
                if objects > MOST_OBJECTS:
                    raise SourceError(f"{self.where}: it names more than {MOST_OBJECTS} objects")

    def _inside(self, place: _Place) -> Iterator[_Place]:
        """Check an object, and yield its contents."""
        value, layer = place.value, place.layer
        if "class_name" in value:
            # Losses, metrics and optimizers may be the user's own, and no figure depends on them
            value.pop("compile_config", None)
            layer = self._object(value, layer)
        for key, item in value.items():
            if key not in _NAMES or not isinstance(item, str):
                yield _Place(item, layer, place.argument if key in _WRAPPERS else key)

    def _object(self, value: dict[str, Any], layer: str) -> str:
        """Check an object's class; return the layer that its contents belong to."""
        name, config = value["class_name"], value.get("config")
        if not isinstance(name, str):
            self._refuse(layer, f"has a class_name that is a {type(name).__name__}, expected a text")
        if name == "function":
            self._function(value, layer)
        elif name == "__lambda__":
            self._code(layer)
        elif name not in _DATA:
            own = config.get("name") if isinstance(config, dict) else None
            label = f"the layer {_quoted(own)} ({_printable(name)})" if isinstance(own, str) else layer
            return label if self._class(value, label) else layer
        elif isinstance(config, dict):
            dtype = config.get("dtype")
            if isinstance(dtype, str) and not _DTYPE.fullmatch(dtype):
                self._refuse(layer, f"has values of the type {_quoted(dtype)}, which no tensor has")
        return layer

    def _class(self, value: dict[str, Any], label: str) -> bool:
        """Refuse an object that is not of Keras's classes nor the user's own; return if it is a layer."""
        name, module = value["class_name"], value.get("module")
        newer = "module" in value or "registered_name" in value
        key = value.get("registered_name", name) if newer else name
        if isinstance(key, str) and key in self.known:
            return True
        cls = self._keras_class(name, module)
        if cls is None:
            self._unknown(name, module, label)
        if any(base.__name__ == "Lambda" and _HOMES.match(base.__module__) for base in cls.__mro__):
            self._lambda(value.get("config"), label)
        return _LAYERS.match(cls.__module__) is not None

    def _keras_class(self, name: str, module: object) -> type | None:
        """Return the class of Keras that a name means, if it is an allowed one; nothing is imported."""
        if module is None:
            places = [_module(home) for home in self.modules]
        elif isinstance(module, str) and (module in self.modules or self.homes.match(module)):
            places = [_module(module)]
        else:
            return None
        for place in places:
            found = vars(place).get(name) if place else None
            if (
                isinstance(found, type)
                and hasattr(found, "from_config")
                and self.homes.match(found.__module__)
            ):
                return found
        return None

    def _lambda(self, config: Any, label: str) -> None:
        """Refuse a Lambda unless its functions are the user's own, by name."""
        if not isinstance(config, dict):
            self._code(label)
        for argument in ("function", "output_shape", "mask"):
            given = config.get(argument)
            named = given.get("config") if isinstance(given, dict) else given
            if isinstance(named, str) and named in self.known:
                continue
            sizes = given is None or (isinstance(given, list) and not any(map(_may_be_code, given)))
            if argument == "function" or not sizes:
                self._code(label)

    def _function(self, value: dict[str, Any], layer: str) -> None:
        """Refuse a function by name that is neither an activation of Keras nor the user's own."""
        name, module = value.get("config"), value.get("module")
        if isinstance(name, str) and name in self.known:
            return
        at_home = module in (None, "builtins", "keras.activations", _ACTIVATIONS)
        if not (at_home and isinstance(name, str) and _is_activation(name)):
            self._unknown(name, module, layer)

    def _text(self, place: _Place) -> None:
        """Refuse a text that names another file."""
        argument = place.argument.lower()
        if not place.value or (place.listed and _VOCABULARY.search(argument)):
            return
        if _PATH.match(place.value) or _FILES.search(argument):
            self._refuse(
                place.layer,
                f"names another file in its argument {_printable(place.argument)}: {_quoted(place.value)}. "
                "Nothing but the file itself is read: read the live model instead",
            )

    def _unknown(self, name: object, module: object, label: str) -> NoReturn:
        what = f"{module}.{name}" if module else str(name)
        self._refuse(
            label,
            f"needs {_quoted(what)}, which is no layer of this Keras nor a part of one, and nothing is "
            "imported for a file (name the Python file of its own classes: --arg custom_objects=FILE.py)",
        )

    def _code(self, label: str) -> NoReturn:
        self._refuse(label, "holds Python code, which is never run from a file: read the live model instead")

    def _refuse(self, label: str, why: str) -> NoReturn:
        raise SourceError(f"{self.where}: {label} {why}")


class OptimizerGuard(Guard):
    """Checks a file's record of the optimizer that its model was compiled with."""

    modules = ("keras.optimizers", "keras.optimizers.schedules")
    homes = re.compile(r"keras\.src\.optimizers(\.|$)")


def _module(name: str) -> ModuleType | None:
    """Return a module of Keras that has been imported; public ones are aliases of others."""
    if name.startswith("keras.src."):
        return sys.modules.get(name)
    found: object = keras
    for part in name.split(".")[1:]:
        found = vars(found).get(part) if isinstance(found, ModuleType) else None
    return found if isinstance(found, ModuleType) else None


def _is_activation(name: str) -> bool:
    found = vars(keras.activations).get(name)
    return isinstance(found, FunctionType) and found.__module__ == _ACTIVATIONS


def _may_be_code(value: object) -> bool:
    return not (value is None or isinstance(value, int))


def _quoted(text: str) -> str:
    """Return a text of an untrusted file for a message: short, without characters that act on a terminal."""
    return ascii(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _printable(text: str) -> str:
    return _quoted(text)[1:-1]
