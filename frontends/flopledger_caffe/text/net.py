"""A network's definition: its layers in both of Caffe's spellings, and which of them a phase keeps.

Sources: Caffe's ``caffe.proto`` (``V1LayerParameter``, ``NetStateRule``), ``upgrade_proto.cpp`` and
``net.cpp`` (``FilterNet``, ``StateMeetsRule``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flopledger.frontend import UsageError, dataclass

from flopledger_caffe.text.message import INT32, Form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from flopledger.frontend import SourceError, Value

    from flopledger_caffe.text.message import Field, Message

TRAIN, TEST = "TRAIN", "TEST"
PHASES = {TRAIN: 0, TEST: 1}

OLD_TYPES = (
    "NONE", "ACCURACY", "BNLL", "CONCAT", "CONVOLUTION", "DATA", "DROPOUT", "EUCLIDEAN_LOSS",
    "FLATTEN", "HDF5_DATA", "HDF5_OUTPUT", "IM2COL", "IMAGE_DATA", "INFOGAIN_LOSS", "INNER_PRODUCT", "LRN",
    "MULTINOMIAL_LOGISTIC_LOSS", "POOLING", "RELU", "SIGMOID", "SOFTMAX", "SOFTMAX_LOSS", "SPLIT", "TANH",
    "WINDOW_DATA", "ELTWISE", "POWER", "SIGMOID_CROSS_ENTROPY_LOSS", "HINGE_LOSS", "MEMORY_DATA", "ARGMAX",
    "THRESHOLD", "DUMMY_DATA", "SLICE", "MVN", "ABSVAL", "SILENCE", "CONTRASTIVE_LOSS", "EXP",
    "DECONVOLUTION",
)  # fmt: skip
"""The types of V1 layers; each one's number is its index."""

_RENAMED = {"softmaxloss": "softmaxwithloss"}
_OF_NETWORKS = ("layer", "layers")
_FIELDS = (
    "name", "input", "input_shape", "input_dim", "force_backward", "state", "debug_info", "layers", "layer",
)  # fmt: skip
_OF_SOLVERS = ("net", "train_net", "base_lr", "net_param", "train_net_param")


@dataclass(frozen=True, slots=True)
class State:
    """The states for which layers are kept: ``TRAIN`` or ``TEST``, a level, and any number of stages."""

    phase: str = TEST
    level: int = 0
    stages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """A layer's fields about one of its blobs: a name to share it by, and its learning rate."""

    name: str = ""
    rate: float = 1
    permissive: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One layer as the file has it; ``type`` is the V2 name where it is a known one."""

    name: str
    type: str
    message: Message
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    spelled: str = ""
    """The type as a quoted text, where it is another spelling of the V2 name; V1's words are no other."""

    @property
    def where(self) -> str:
        """Its name in errors."""
        message = self.message
        return f"{message.document.name}:{message.line}: layer {self.name!r} ({self.type})"

    def error(self, reason: str) -> SourceError:
        """Return an error about it."""
        message = self.message
        return message.error(f"layer {self.name!r} ({self.type}) {reason}")


def state_of(root: Message, options: Mapping[str, object], mode: object) -> State:
    """Return the state in which a network is read: the options, else the mode, else the file, else ``TEST``.

    Raises:
        UsageError: An option has no meaning.
    """
    own = root.message("state")
    phase = own.word("phase", PHASES, TEST)
    if mode in ("train", "eval"):
        phase = TRAIN if mode == "train" else phase
    if options.get("phase") is not None:
        phase = str(options["phase"]).upper()
    if phase not in PHASES:
        raise UsageError(f"the phase is {options['phase']!r}, expected train or test")
    level = options.get("level")
    if level is not None and (isinstance(level, bool) or not isinstance(level, int)):
        raise UsageError(f"the level is {level!r}, expected a whole number")
    given = options.get("stage") or ()
    stages = (given,) if isinstance(given, str) else given
    if not isinstance(stages, (tuple, list, set, frozenset)):
        raise UsageError(f"the stage is {given!r}, expected a name or several")
    return State(
        phase,
        own.number("level", 0, INT32) if level is None else level,
        frozenset(map(str, stages)) | frozenset(own.texts("stage")),
    )


def entries(root: Message, state: State, known: Mapping[str, str]) -> Iterator[Entry]:
    """Yield the layers that the state keeps, in the order of the file.

    Args:
        root: The whole file.
        state: The state for which the layers are kept.
        known: The V2 types, by themselves and by their :func:`folded` spelling.

    Raises:
        SourceError: The file is no network, or a layer in it is malformed.
    """
    for message in all_layers(root):
        if message.all("layer"):
            raise message.error(
                "'layers { layer { ... } }' is the spelling of Caffe before 2014 (V0); bring it up to date "
                "with Caffe's upgrade_net_proto_text"
            )
        if kept(message, state):
            yield entry_of(message, known)


def all_layers(root: Message) -> Iterator[Message]:
    """Yield the layers of all states, in the order of the file.

    Raises:
        SourceError: The file is no network.
    """
    fields = [field for field in root.fields if field.key in _OF_NETWORKS]
    if not fields:
        raise _no_network(root)
    for field in fields:
        if isinstance(field.value, str):
            raise root.error(f"{field.key} is {field.shown}, expected {{ ... }}", field)
        yield field.value


def unknown_fields(root: Message) -> tuple[str, ...]:
    """Return the names of a network's fields that upstream Caffe does not have, each once.

    Raises:
        SourceError: One of them looks like a slip of the pen.
    """
    found = dict.fromkeys(field.key for field in root.fields if field.key not in _FIELDS)
    for key in found:
        root.refuse_slip(key, _FIELDS)
    return tuple(found)


def _no_network(root: Message) -> SourceError:
    if any(key in root for key in _OF_SOLVERS):
        return root.error("this is a solver's file; give the network's, which holds layer { ... }")
    found = root.fields[0].key if root.fields else "nothing"
    return root.error(f"the file has no layer {{ ... }} and so is no Caffe network; it begins with {found!r}")


def entry_of(message: Message, known: Mapping[str, str]) -> Entry:
    """Return a layer.

    Raises:
        SourceError: It is malformed.
    """
    field = message.one("type")
    if field is None:
        raise message.error(f"the layer {message.text('name')!r} has no type")
    kind = _type(message, field, known)
    name = message.text("name") or kind
    spelled = str(field.value) if field.form is Form.STRING and field.value != kind else ""
    return Entry(name, kind, message, message.texts("bottom"), message.texts("top"), spelled)


def _type(message: Message, field: Field, known: Mapping[str, str]) -> str:
    """Return a layer's type as the table spells it; files of the first generation may have its number.

    Forks spell some types with other capitals (``Lrn``), which upstream would refuse.
    """
    if field.form is Form.MESSAGE:
        raise message.error('the type is { ... }, expected a name such as "Convolution"', field)
    spelled = str(field.value)
    if field.form is Form.NUMBER:
        number = message.number("type", 0)
        if number >= len(OLD_TYPES):
            raise message.error(
                f"there is no layer type number {number}, they end with {len(OLD_TYPES) - 1}", field
            )
        spelled = OLD_TYPES[number]
    return known.get(spelled) or known.get(folded(spelled), spelled)


def own_fields(entry: Entry, params: str = "") -> dict[str, Value]:
    """Return a layer's own fields as they are spelled; of a type that is not known, all of them."""
    fields: dict[str, Value] = {}
    for field in entry.message.fields:
        wanted = field.key == params if params else field.key.endswith("_param")
        if wanted and not isinstance(field.value, str):
            fields.update(field.value.plain())
    return fields


def folded(spelled: str) -> str:
    """Return the common key of the V1 and the V2 spelling of a type."""
    plain = spelled.replace("_", "").lower()
    return _RENAMED.get(plain, plain)


def kept(message: Message, state: State) -> bool:
    """Return whether a layer's include and exclude rules keep it: Caffe's ``FilterNet``.

    Raises:
        SourceError: It has rules of both sorts, which Caffe refuses.
    """
    include, exclude = message.messages("include"), message.messages("exclude")
    if include and exclude:
        name = message.text("name")
        raise message.error(f"the layer {name!r} has include and exclude rules, expected one sort")
    if include:
        return any(_meets(rule, state) for rule in include)
    return not any(_meets(rule, state) for rule in exclude)


def _meets(rule: Message, state: State) -> bool:
    return (
        rule.word("phase", PHASES, state.phase) == state.phase
        and rule.number("min_level", state.level, INT32) <= state.level
        and rule.number("max_level", state.level, INT32) >= state.level
        and state.stages.issuperset(rule.texts("stage"))
        and state.stages.isdisjoint(rule.texts("not_stage"))
    )


def param_specs(message: Message) -> tuple[ParamSpec, ...]:
    """Return a layer's fields about its blobs, in order: ``param`` of V2, or of V1 with ``blobs_lr``."""
    rates = message.reals("blobs_lr")
    fields = message.all("param")
    if not rates and not fields:
        return ()
    modes = _share_modes(message)
    specs = [_param_spec(message, field) for field in fields]
    specs += [ParamSpec()] * (len(rates) - len(specs))
    return tuple(
        ParamSpec(
            spec.name,
            rates[i] if i < len(rates) else spec.rate,
            spec.permissive or (i < len(modes) and modes[i]),
        )
        for i, spec in enumerate(specs)
    )


_SHARING = {"STRICT": 0, "PERMISSIVE": 1}


def _share_modes(message: Message) -> tuple[bool, ...]:
    return tuple(str(field.value) in ("PERMISSIVE", "1") for field in message.all("blob_share_mode"))


def _param_spec(message: Message, field: Field) -> ParamSpec:
    if field.form is Form.STRING:
        return ParamSpec(str(field.value))
    if isinstance(field.value, str):
        raise message.error(f"param is {field.shown}, expected {{ ... }}", field)
    spec = field.value
    permissive = spec.word("share_mode", _SHARING, "STRICT") == "PERMISSIVE"
    return ParamSpec(spec.text("name"), spec.real("lr_mult", 1), permissive)


def by_folded(types: Iterable[str]) -> dict[str, str]:
    """Return V2 types by the key that they share with their V1 spelling."""
    return {folded(name): name for name in types}
