"""The inputs of a model of transformers, as its configuration describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from flopledger.frontend import InputSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    Input: TypeAlias = tuple[InputSpec, str]

TOKENS = 128
"""The length of a text for a language model that takes longer ones: that of BERT's first training phase."""
SIDE = 224
"""The side of a picture for a network that takes any: that of ImageNet's."""
SECOND = 16_000
"""The samples of one second of speech, at the rate that the models of speech are trained at."""
_PLACES = ("image", "video", "audio")


def configured(main: str, config: Any, taken: Collection[str]) -> tuple[tuple[InputSpec, ...], str]:
    """Return the inputs, and in words the sizes that the configuration leaves open.

    A configuration with parts is of a model that takes texts and pictures, or texts and sounds: one of each
    (CLIP, CLAP). Nothing is returned where their places are among the tokens (LLaVA), since then the inputs
    depend on each other, or where a size follows from nothing.

    Args:
        main: The input that the model itself calls the main one.
        config: Its configuration.
        taken: The inputs that its forward takes.
    """
    parts = [(name, part) for name, part in _PARTS.items() if field(config, part) is not None]
    if parts:
        apart = len(parts) > 1 and not among_tokens(config) and all(name in taken for name, _ in parts)
        found = [_INPUTS[name](name, field(config, part)) for name, part in parts] if apart else [None]
    else:
        names = [main if main in taken else next((name for name in _INPUTS if name in taken), main)]
        if field(config, "is_encoder_decoder") is True and "decoder_input_ids" in taken:
            names.append("decoder_input_ids")
        found = [_INPUTS[name](name, config) if name in _INPUTS else None for name in names]
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return (), ""
    return tuple(spec for spec, _ in known), ", ".join(dict.fromkeys(text for _, text in known if text))


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
    size = field(config, "image_size")
    sides = shape(size) or shape((size, size)) or ((SIDE, SIDE) if size is None else ())
    channels = field(config, "num_channels")
    channels = 3 if channels is None else channels
    if len(sides) != 2 or type(channels) is not int:
        return None
    return InputSpec(name, (1, channels, *sides)), "" if size is not None else f"{SIDE} pixels"


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
    """Return a spectrogram for Whisper, whose encoder halves the frames and takes no fewer."""
    sizes = shape((field(config, "num_mel_bins"), field(config, "max_source_positions")))
    return (InputSpec(name, (1, sizes[0], 2 * sizes[1])), "") if sizes else None


def _series(name: str, config: Any) -> Input | None:
    """Return the past that a model of time series looks at, PatchTST."""
    sizes = shape((field(config, "context_length"), field(config, "num_input_channels")))
    return (InputSpec(name, (1, *sizes)), "") if sizes else None


_INPUTS: Mapping[str, Callable[[str, Any], Input | None]] = {
    "input_ids": _text,
    "decoder_input_ids": _text,
    "pixel_values": _picture,
    "input_values": _sound,
    "input_features": _spectrum,
    "past_values": _series,
}
_PARTS = {"input_ids": "text_config", "pixel_values": "vision_config", "input_features": "audio_config"}
"""The inputs that a part of a configuration is about."""


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
