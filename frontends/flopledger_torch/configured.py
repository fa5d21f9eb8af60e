"""The inputs of a model of transformers, as its configuration describes them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from flopledger.frontend import InputSpec

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable

    Input: TypeAlias = tuple[InputSpec, str]

TOKENS = 128
"""The length of a text for a language model that takes longer ones: that of BERT's first training phase."""
SIDE = 224
"""The side of a picture for a network that takes any: that of ImageNet's."""
SECOND = 16_000
"""The samples of one second of speech, at the rate that the models of speech are trained at."""
FRAMES = 100
"""The frames of one second of speech in a spectrogram: one for each 10 ms."""
_PLACES = ("image", "video", "audio")


class Stated(NamedTuple):
    """What a configuration says of the inputs."""

    specs: tuple[InputSpec, ...] = ()
    """The inputs that it gives the size of."""
    assumed: str = ""
    """In words, the sizes that it leaves open and we choose."""
    missing: tuple[str, ...] = ()
    """The arguments whose size it doesn't say."""
    left_out: tuple[str, ...] = ()
    """The pictures and sounds that the forward takes and is not given."""


def configured(
    main: object, config: Any, taken: Mapping[str, inspect.Parameter], *, bins_first: bool = False
) -> Stated:
    """Return the inputs that a forward needs, as a configuration describes them.

    A configuration with parts is of a model that takes texts and pictures, or texts and sounds: one of each
    (CLIP, CLAP). Where their places are among the tokens (LLaVA), the forward is that of a text alone, as the
    language model reads one: it is complete without pictures, and they are said to be left out.

    Args:
        main: The input that the model itself calls the main one.
        config: Its configuration.
        taken: The parameters of its forward.
        bins_first: Whether its spectrograms have the bins before the frames.
    """
    names = _needed(main, config, taken)
    made = {name: _made(name, config, names, bins_first=bins_first) for name in names}
    known = [one for one in made.values() if one is not None]
    return Stated(
        tuple(spec for spec, _ in known),
        ", ".join(dict.fromkeys(text for _, text in known if text)),
        tuple(name for name, one in made.items() if one is None),
        tuple(name for name in taken if name in _MEDIA and name not in made),
    )


def _needed(main: object, config: Any, taken: Mapping[str, inspect.Parameter]) -> list[str]:
    """Return the arguments to make: those of each part, else the main one; and those without a default."""
    parts = [name for name, part in _PARTS.items() if field(config, part) is not None]
    if len(parts) > 1 and not among_tokens(config) and all(name in taken for name in parts):
        names = parts
    elif "input_ids" in taken and among_tokens(config):
        names = ["input_ids"]
    else:
        names = [main] if isinstance(main, str) and main in taken else []
    required = [
        name
        for name, one in taken.items()
        if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    names = names or required or [name for name in _INPUTS if name in taken][:1] or list(taken)[:1]
    if field(config, "is_encoder_decoder") is True and "decoder_input_ids" in taken:
        required.append("decoder_input_ids")
    return list(dict.fromkeys([*names, *required]))


def _made(name: str, config: Any, names: Sequence[str], *, bins_first: bool) -> Input | None:
    """Return an input with the sizes of its part of a configuration, None where it says too little."""
    if "grid_thw" in names and name in _PATCHES:
        return _patches(name, config)
    make = _INPUTS.get(name)
    if make is None:
        return None
    part = next((one for one in map(functools.partial(field, config), _WHERE.get(name, ())) if one), None)
    found = make(name, config) if part is None else make(name, part) or make(name, config)
    if found is not None and bins_first and make is _spectrum and found[1]:
        spec, text = found
        batch, frames, bins = spec.shape or ()
        return InputSpec(name, (batch, bins, frames)), text
    return found


def among_tokens(config: Any) -> bool:
    """Return whether some tokens are the places of pictures or sounds."""
    return any(
        field(config, f"{what}_token_{how}") is not None for what in _PLACES for how in ("id", "index")
    )


def _text(name: str, config: Any) -> Input:
    longest = field(config, "max_position_embeddings")
    length = min(TOKENS, longest) if isinstance(longest, int) and longest > 0 else TOKENS
    return InputSpec(name, (1, length), "int64"), f"at most {TOKENS} tokens"


def _picture(name: str, config: Any) -> Input | None:
    """Return a picture, or a clip for a network that states how many frames it takes, VideoMAE."""
    found = _pixels(config)
    if found is None:
        return None
    sizes, assumed = found
    frames = _first(config, *_CLIP)
    clip = () if frames is None else (frames,)
    return InputSpec(name, (1, *clip, *sizes)), assumed


def _clip(name: str, config: Any) -> Input | None:
    return None if _first(config, *_CLIP) is None else _picture(name, config)


def _pixels(config: Any) -> tuple[tuple[int, ...], str] | None:
    """Return the channels, height and width of a picture."""
    size = next((one for one in (field(config, "image_size"), field(config, "crop_size")) if one), None)
    sides = shape(size) or shape((size, size)) or ((SIDE, SIDE) if size is None else ())
    channels = field(config, "num_channels")
    channels = 3 if channels is None else channels
    if len(sides) != 2 or type(channels) is not int:
        return None
    return (channels, *sides), "" if size is not None else f"{SIDE} pixels"


def _patches(name: str, config: Any) -> Input | None:
    """Return a picture cut into patches, one in each row, Qwen2-VL; or its grid, whose values give sizes.

    A grid is of frames, rows and columns. Its sides are multiples of the squares of patches that are merged
    afterwards, and a single picture is repeated to fill the frames of a patch.
    """
    patch, merged = _first(config, "patch_size"), _first(config, "spatial_merge_size") or 1
    side = _first(config, "image_size")
    if patch is None:
        return None
    rows = (side or SIDE) // patch // merged * merged
    assumed = "" if side else f"one picture of {rows * patch} pixels"
    if name == "grid_thw":
        return InputSpec(name, None, literal=[[1, rows, rows]], is_literal=True), assumed
    channels = _first(config, "in_channels", "in_chans", "num_channels") or 3
    frames = _first(config, "temporal_patch_size") or 1
    return InputSpec(name, (rows * rows, channels * frames * patch * patch)), assumed


def _sound(name: str, config: Any) -> Input | None:
    """Return a wave for a model that starts by convolving it, wav2vec 2.0, else a spectrogram, AST.

    A codec takes the wave's channels too, at the rate that it states, EnCodec.
    """
    if field(config, "conv_stride") is not None:
        return InputSpec(name, (1, SECOND)), f"one second of {SECOND} samples"
    if wave := shape((field(config, "audio_channels"), field(config, "sampling_rate"))):
        return InputSpec(name, (1, *wave)), f"one second of {wave[1]} samples"
    frames = shape((field(config, "max_length"), field(config, "num_mel_bins")))
    return (InputSpec(name, (1, *frames)), "") if frames else None


def _spectrum(name: str, config: Any) -> Input | None:
    """Return a spectrogram: all of Whisper's, whose encoder halves and takes no fewer, else a second."""
    sizes = shape((field(config, "num_mel_bins"), field(config, "max_source_positions")))
    if sizes:
        return InputSpec(name, (1, sizes[0], 2 * sizes[1])), ""
    bins = _first(config, "num_mel_bins", "feature_projection_input_dim", "input_feat_per_channel")
    return (InputSpec(name, (1, FRAMES, bins)), f"{FRAMES} frames of sound") if bins else None


def _series(name: str, config: Any) -> Input | None:
    """Return the past that a model of time series looks at, PatchTST."""
    sizes = shape((field(config, "context_length"), field(config, "num_input_channels")))
    return (InputSpec(name, (1, *sizes)), "") if sizes else None


_INPUTS: Mapping[str, Callable[[str, Any], Input | None]] = {
    "input_ids": _text,
    "decoder_input_ids": _text,
    "qformer_input_ids": _text,
    "pixel_values": _picture,
    "pixel_values_videos": _clip,
    "input_values": _sound,
    "input_features": _spectrum,
    "past_values": _series,
}
_PARTS = {"input_ids": "text_config", "pixel_values": "vision_config", "input_features": "audio_config"}
"""The inputs that a part of a configuration is about."""
_WHERE = {
    "input_ids": ("text_config",),
    "pixel_values": ("vision_config",),
    "pixel_values_videos": ("vision_config",),
    "input_features": ("audio_config", "encoder_config"),
}
"""The parts of a configuration that may say more of an input than its whole."""
_MEDIA = ("pixel_values", "pixel_values_videos", "input_features", "input_values")
_PATCHES = ("hidden_states", "pixel_values", "grid_thw")
"""The arguments of an encoder of patches, by the names that they have in its forward."""
_CLIP = ("num_frames", "frames_per_clip")


def _first(config: Any, *names: str) -> int | None:
    """Return the first of some fields that is a size."""
    found = (field(config, name) for name in names)
    return next((one for one in found if type(one) is int and one > 0), None)


def field(holder: Any, name: str) -> Any:
    """Return an attribute or an entry, None where there is none or asking for it fails."""
    try:
        return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
    except Exception:  # noqa: BLE001  (a property of the user's may raise anything)
        return None


def shape(size: object) -> tuple[int, ...]:
    """Return sizes as a shape, empty where they are none."""
    if not isinstance(size, Sequence) or isinstance(size, str):
        return ()
    sizes = tuple(size)
    return sizes if sizes and all(type(dim) is int and dim > 0 for dim in sizes) else ()
