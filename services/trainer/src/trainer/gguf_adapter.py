"""A LoRA adapter of peft as GGUF, the file that llama.cpp applies beside the model it was tuned on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from trainer.gguf_file import gguf_name, interleaved

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The layers that adapters are learnt for: every matrix of a block."""
ARCHITECTURES: Mapping[str, str] = {"llama": "llama", "mistral": "llama"}
"""What llama.cpp calls the models of transformers that can be tuned. All of them want rows of q and k interleaved."""
_PREFIX = "base_model.model."


def write_adapter(source: Path, config: Mapping[str, Any], target: Path, *, name: str) -> None:
    """From peft's folder (`adapter_config.json`, `adapter_model.safetensors`) and the base model's `config.json` to a
    GGUF file with 16-bit matrices.

    Raises:
        ValueError: the adapter has something that a GGUF adapter cannot hold.
    """
    learnt = json.loads((source / "adapter_config.json").read_text())
    odd = [one for one in ("use_rslora", "use_dora", "modules_to_save", "rank_pattern", "alpha_pattern") if learnt[one]]
    if odd:
        raise ValueError(f"an adapter with {', '.join(odd)} cannot be written as GGUF")
    part = target.with_suffix(".part")
    writer = gguf.GGUFWriter(str(part), ARCHITECTURES[config["model_type"]])
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_name(name)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(learnt["lora_alpha"]))
    for tensor, values in sorted(load_file(source / "adapter_model.safetensors").items()):
        writer.add_tensor(*adapter_tensor(tensor, values.astype(np.float32), config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(target)


def adapter_tensor(
    tensor: str, values: NDArray[np.float32], config: Mapping[str, Any]
) -> tuple[str, NDArray[np.float16]]:
    """A matrix of peft under llama.cpp's name. Those that make rows of q and k ([rows, rank]) are interleaved like the
    model's own rows; those that read ([rank, columns]) are as they are."""
    layer, _, which = tensor.removeprefix(_PREFIX).removesuffix(".weight").rpartition(".")
    if which not in ("lora_A", "lora_B"):
        raise ValueError(f"the tensor {tensor} is no part of a LoRA on a matrix")
    if which == "lora_B" and layer.endswith("self_attn.q_proj"):
        values = interleaved(values, config["num_attention_heads"])
    if which == "lora_B" and layer.endswith("self_attn.k_proj"):
        values = interleaved(values, config["num_key_value_heads"])
    return f"{gguf_name(layer)}.weight.{which.lower()}", np.ascontiguousarray(values, np.float16)


def why_another_model(model: Path, config: Mapping[str, Any], norm: NDArray[np.float32]) -> str:
    """Why weights of transformers are not those of a GGUF file; empty where they seem to be. `norm` is the weight of
    the last norm: GGUF keeps it in full precision whatever the rest is quantized to, and no two models share it."""
    reader = gguf.GGUFReader(model)
    architecture = str(reader.fields["general.architecture"].contents())
    if architecture != ARCHITECTURES.get(config["model_type"]):
        return f"one is a {architecture}, the other a {config['model_type']}"
    shape = {
        "block_count": config["num_hidden_layers"],
        "embedding_length": config["hidden_size"],
        "feed_forward_length": config["intermediate_size"],
        "attention.head_count": config["num_attention_heads"],
    }
    for name, wanted in shape.items():
        if (found := reader.fields[f"{architecture}.{name}"].contents()) != wanted:
            return f"{name} is {found} in one and {wanted} in the other"
    served = next(one for one in reader.tensors if one.name == "output_norm.weight")
    if not np.allclose(served.data.astype(np.float32), norm, rtol=0.01, atol=1e-4):
        return "they have the same shape and other weights"
    return ""
