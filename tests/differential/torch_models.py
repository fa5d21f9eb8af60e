"""Whole networks among the probes: published architectures, defined here, and small ones of transformers."""

from __future__ import annotations

from typing import Any

import torch
import torch_pictures as pictures
import torch_sequences as sequences
from torch import nn
from torch_probes import PROBES, ids, named, network

IMAGENET = (1, 3, 224, 224)


def vision() -> None:
    network("resnet18", pictures.resnet18, IMAGENET)
    network("resnet18_n2_160x96", pictures.resnet18, (2, 3, 160, 96))
    network("resnet50", pictures.resnet50, IMAGENET)
    network("mobilenet_v2", pictures.mobilenet_v2, IMAGENET)
    network("squeezenet1_1", pictures.squeezenet, IMAGENET)
    network("vgg16", pictures.vgg16, IMAGENET)
    network("densenet121", pictures.densenet121, IMAGENET)
    network("vit_b_16", pictures.VisionTransformer, IMAGENET)
    network("unet_n2", pictures.UNet, (2, 3, 48, 64))
    network("windowed_attention_n2", pictures.WindowedNet, (2, 3, 32, 32))
    network("gan_generator_n3", pictures.generator, (3, 100, 1, 1))


def text() -> None:
    PROBES["lstm_language_model_n2"] = lambda: (sequences.LanguageModel().eval(), named(ids(2, 9, below=50)))
    network("cnn_gru_n3", sequences.CnnGru, (3, 1, 32, 40))
    network("lstm_packed_n3", lambda: sequences.Packed(nn.LSTM), (3, 7, 5))
    network("gru_packed_n3", lambda: sequences.Packed(nn.GRU), (3, 7, 5))
    for times in (1, 3):
        network(f"dynamic_net_{times}", lambda n=times: sequences.DynamicNet(n), (2, 5))
    network("small_convnet_224", sequences.SmallConvNet, IMAGENET)
    network("small_convnet_32", sequences.SmallConvNet, (1, 3, 32, 32))


class Output(nn.Module):
    """A model of transformers, called so that it gives one tensor."""

    def __init__(self, model: nn.Module, result: str, **told: Any) -> None:
        super().__init__()
        self.model, self.result, self.told = model, result, told

    def forward(self, **given: torch.Tensor) -> torch.Tensor:
        return self.model(**given, **self.told)[self.result]


class Tokens(Output):
    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        return super().forward(input_ids=input_ids)


class Pixels(Output):
    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        return super().forward(pixel_values=pixel_values)


class Features(Output):
    def forward(self, input_features: torch.Tensor) -> torch.Tensor:
        return super().forward(input_features=input_features)


class Both(Output):
    def forward(self, input_ids: torch.Tensor, decoder_input_ids: torch.Tensor) -> torch.Tensor:
        return super().forward(input_ids=input_ids, decoder_input_ids=decoder_input_ids)


class PictureAndText(Output):
    def forward(self, input_ids: torch.Tensor, pixel_values: torch.Tensor) -> torch.Tensor:
        return super().forward(input_ids=input_ids, pixel_values=pixel_values)


def add_one(name: str, make: Any, **inputs: Any) -> None:
    """Add a probe whose inputs are made when it is."""
    PROBES[name] = lambda: (make().eval(), {key: value() for key, value in inputs.items()})


def transformers() -> None:
    import transformers as hf

    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 37}
    words = {**small, "vocab_size": 99, "max_position_embeddings": 64}
    gpt = {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 99, "n_positions": 64}
    few = {"num_key_value_heads": 2, "attn_implementation": "sdpa"}
    state = "last_hidden_state"
    tokens = {"input_ids": lambda: ids(2, 11, below=99)}
    picture = {"pixel_values": lambda: torch.rand(2, 3, 32, 48)}

    def of(kind: str, config: str, result: str = state, wrap: Any = Tokens, **told: Any) -> Any:
        caches = {} if wrap is Pixels or kind in ("BertModel", "DistilBertModel") else {"use_cache": False}
        caches = {} if wrap in (Features, PictureAndText) else caches
        return lambda: wrap(getattr(hf, kind)(getattr(hf, config)(**told)), result, **caches)

    add_one("hf_bert_n2", of("BertModel", "BertConfig", **words), **tokens)
    add_one("hf_bert_eager_n2", of("BertModel", "BertConfig", **words, attn_implementation="eager"), **tokens)
    distil = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 37, "vocab_size": 99}
    add_one("hf_distilbert_n2", of("DistilBertModel", "DistilBertConfig", **distil), **tokens)
    add_one("hf_gpt2_n2", of("GPT2LMHeadModel", "GPT2Config", "logits", **gpt), **tokens)
    add_one("hf_llama_n2", of("LlamaForCausalLM", "LlamaConfig", "logits", **words, **few), **tokens)
    add_one("hf_mistral_n2", of("MistralForCausalLM", "MistralConfig", "logits", **words, **few), **tokens)
    experts = {**words, **few, "intermediate_size": 48, "num_local_experts": 4, "num_experts_per_tok": 2}
    add_one("hf_mixtral_n2", of("MixtralForCausalLM", "MixtralConfig", "logits", **experts), **tokens)
    t5 = {"d_model": 32, "d_kv": 8, "d_ff": 37, "num_layers": 2, "num_heads": 4, "vocab_size": 99}
    decoder = {"decoder_input_ids": lambda: ids(2, 7, below=99)}
    add_one("hf_t5_n2", of("T5Model", "T5Config", wrap=Both, **t5), **tokens, **decoder)
    vit = {**small, "image_size": (32, 48), "patch_size": 8}
    add_one("hf_vit_n2", of("ViTModel", "ViTConfig", "pooler_output", Pixels, **vit), **picture)
    eager = of("ViTModel", "ViTConfig", state, Pixels, **vit, attn_implementation="eager")
    add_one("hf_vit_eager_n2", eager, **picture)

    def whisper() -> nn.Module:
        config = hf.WhisperConfig(
            d_model=32, encoder_layers=2, encoder_attention_heads=4,
            encoder_ffn_dim=37, num_mel_bins=20,
            max_source_positions=30, decoder_layers=1, decoder_attention_heads=4, decoder_ffn_dim=37,
            vocab_size=99,
            pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
        )  # fmt: skip
        return Features(hf.WhisperModel(config).encoder, state)

    add_one("hf_whisper_encoder_n2", whisper, input_features=lambda: torch.rand(2, 20, 60))

    def clip() -> nn.Module:
        text_told = {**words, "projection_dim": 16, "bos_token_id": 1, "eos_token_id": 98, "pad_token_id": 0}
        config = hf.CLIPConfig(
            text_config=text_told,
            vision_config={**small, "image_size": 32, "patch_size": 8, "projection_dim": 16},
            projection_dim=16,
        )
        return PictureAndText(hf.CLIPModel(config), "logits_per_image")

    add_one("hf_clip_n2", clip, **tokens, pixel_values=lambda: torch.rand(3, 3, 32, 32))


def add() -> None:
    """Add all of them."""
    for part in (vision, text, transformers):
        part()
