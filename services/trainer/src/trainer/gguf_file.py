"""Writing a Llama of transformers as GGUF, the file that llama.cpp serves. For byte-level BPE tokenizers."""

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

_OUTER = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
_INNER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def write_gguf(source: Path, target: Path, *, name: str) -> None:
    """From a transformers folder (`config.json`, `model.safetensors`, `tokenizer.json`, `tokenizer_config.json` with
    the chat template) to a GGUF file with 32-bit weights.

    Raises:
        ValueError: the model is of another architecture, or has a tensor that we do not know.
    """
    config = json.loads((source / "config.json").read_text())
    if config["model_type"] != "llama":
        raise ValueError(f"only Llama models can be written as GGUF, and {source} is a {config['model_type']}")
    part = target.with_suffix(".part")
    writer = gguf.GGUFWriter(str(part), "llama")
    writer.add_name(name)
    _shape(writer, config)
    _tokenizer(writer, source)
    for tensor, values in sorted(load_file(source / "model.safetensors").items()):
        writer.add_tensor(*_named(tensor, np.ascontiguousarray(values, np.float32), config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(target)


def _shape(writer: gguf.GGUFWriter, config: dict[str, Any]) -> None:
    heads = config["num_attention_heads"]
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["hidden_size"] // heads)
    writer.add_rope_freq_base(_rope_theta(config))
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)


def _rope_theta(config: dict[str, Any]) -> float:
    """Where it stands differs between releases of transformers."""
    return float(config.get("rope_theta") or config["rope_parameters"]["rope_theta"])


def _tokenizer(writer: gguf.GGUFWriter, source: Path) -> None:
    about = json.loads((source / "tokenizer_config.json").read_text())
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    vocabulary: dict[str, int] = dict(tokenizer["model"]["vocab"])
    special = {one["content"]: one["id"] for one in tokenizer["added_tokens"]}
    tokens = sorted({**vocabulary, **special}.items(), key=lambda item: item[1])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([token for token, _ in tokens])
    kinds = [gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token, _ in tokens]
    writer.add_token_types(kinds)
    merges = tokenizer["model"]["merges"]
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.add_eos_token_id(special[about["eos_token"]])
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_chat_template(about["chat_template"])


def _named(tensor: str, values: NDArray[np.float32], config: dict[str, Any]) -> tuple[str, NDArray[np.float32]]:
    layer = tensor.removesuffix(".weight")
    if layer.endswith("self_attn.q_proj"):
        values = interleaved(values, config["num_attention_heads"])
    if layer.endswith("self_attn.k_proj"):
        values = interleaved(values, config["num_key_value_heads"])
    return f"{gguf_name(layer)}.weight", values


def gguf_name(layer: str) -> str:
    """A layer of transformers under llama.cpp's name. Raises ValueError where it is none of a Llama's."""
    if layer in _OUTER:
        return _OUTER[layer]
    inner = layer.split(".", 3)[-1]
    if inner not in _INNER:
        raise ValueError(f"the layer {layer} is none of a Llama's")
    return f"blk.{layer.split('.')[2]}.{_INNER[inner]}"


def interleaved(values: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """llama.cpp rotates neighbouring pairs, transformers the two halves of a head: rows ([rows, columns]) change
    places."""
    rows, columns = values.shape
    return values.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns).copy()
