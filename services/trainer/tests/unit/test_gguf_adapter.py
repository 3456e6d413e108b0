"""A LoRA of peft as GGUF."""

import json
from pathlib import Path

import gguf
import numpy as np
import pytest
from safetensors.numpy import save_file
from trainer.gguf_adapter import adapter_tensor, why_another_model, write_adapter
from trainer.gguf_file import interleaved

CONFIG = {
    "model_type": "llama", "num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 16,
    "num_hidden_layers": 1, "intermediate_size": 24,
}  # fmt: skip
LAYER = "base_model.model.model.layers.0"
LEARNT = {
    "lora_alpha": 8, "r": 2, "use_rslora": False, "use_dora": False, "modules_to_save": None, "rank_pattern": {},
    "alpha_pattern": {},
}  # fmt: skip


def matrix(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape) / 64


def saved(folder: Path, **changes) -> Path:
    tensors = {
        f"{LAYER}.self_attn.q_proj.lora_A.weight": matrix(2, 16),
        f"{LAYER}.self_attn.q_proj.lora_B.weight": matrix(16, 2),
        f"{LAYER}.self_attn.k_proj.lora_A.weight": matrix(2, 16),
        f"{LAYER}.self_attn.k_proj.lora_B.weight": matrix(8, 2),
        f"{LAYER}.mlp.down_proj.lora_A.weight": matrix(2, 24),
        f"{LAYER}.mlp.down_proj.lora_B.weight": matrix(16, 2),
    }
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({**LEARNT, **changes}))
    return folder


class TestTheFile:
    def test_says_what_it_is_in_the_words_of_llama_cpp(self, tmp_path):
        write_adapter(saved(tmp_path), CONFIG, tmp_path / "a.gguf", name="mine")
        fields = gguf.GGUFReader(tmp_path / "a.gguf").fields
        said = {name: fields[name].contents() for name in fields if not name.startswith("GGUF.")}
        assert said == {
            "general.architecture": "llama", "general.type": "adapter", "general.name": "mine",
            "adapter.type": "lora", "adapter.lora.alpha": 8.0,
        }  # fmt: skip

    def test_has_both_matrices_of_each_layer_in_16_bits(self, tmp_path):
        write_adapter(saved(tmp_path), CONFIG, tmp_path / "a.gguf", name="mine")
        tensors = {one.name: one for one in gguf.GGUFReader(tmp_path / "a.gguf").tensors}
        assert {name: list(map(int, one.shape)) for name, one in tensors.items()} == {
            "blk.0.attn_q.weight.lora_a": [16, 2], "blk.0.attn_q.weight.lora_b": [2, 16],
            "blk.0.attn_k.weight.lora_a": [16, 2], "blk.0.attn_k.weight.lora_b": [2, 8],
            "blk.0.ffn_down.weight.lora_a": [24, 2], "blk.0.ffn_down.weight.lora_b": [2, 16],
        }  # fmt: skip
        assert {one.tensor_type for one in tensors.values()} == {gguf.GGMLQuantizationType.F16}
        assert np.array_equal(tensors["blk.0.ffn_down.weight.lora_b"].data, matrix(16, 2))

    @pytest.mark.parametrize("odd", [{"use_rslora": True}, {"use_dora": True}, {"modules_to_save": ["lm_head"]}])
    def test_is_not_written_where_it_could_not_say_all(self, tmp_path, odd):
        with pytest.raises(ValueError, match=next(iter(odd))):
            write_adapter(saved(tmp_path, **odd), CONFIG, tmp_path / "a.gguf", name="mine")


class TestRowsOfQueriesAndKeys:
    @pytest.mark.parametrize(("layer", "heads", "rows"), [("q_proj", 4, 16), ("k_proj", 2, 8)])
    def test_are_interleaved_so_that_the_product_is(self, layer, heads, rows):
        """(B A) is added to the model's weights, whose rows llama.cpp wants interleaved."""
        reads, makes = matrix(2, 16), matrix(rows, 2)
        _, a = adapter_tensor(f"{LAYER}.self_attn.{layer}.lora_A.weight", reads, CONFIG)
        _, b = adapter_tensor(f"{LAYER}.self_attn.{layer}.lora_B.weight", makes, CONFIG)
        assert np.allclose(b.astype(np.float32) @ a.astype(np.float32), interleaved(makes @ reads, heads), atol=1e-2)

    def test_of_one_head_become_neighbouring_pairs(self):
        _, b = adapter_tensor(f"{LAYER}.self_attn.q_proj.lora_B.weight", matrix(16, 2) * 32, CONFIG)
        assert b[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15]

    def test_of_values_stay_as_they_are(self):
        name, b = adapter_tensor(f"{LAYER}.self_attn.v_proj.lora_B.weight", matrix(8, 2), CONFIG)
        assert (name, b.tolist()) == ("blk.0.attn_v.weight.lora_b", matrix(8, 2).tolist())


@pytest.mark.parametrize("tensor", [f"{LAYER}.self_attn.q_proj.weight", f"{LAYER}.self_attn.qkv.lora_A.weight"])
def test_a_tensor_that_llama_cpp_would_not_know_is_refused(tensor):
    with pytest.raises(ValueError, match=r"tensor|layer"):
        adapter_tensor(tensor, matrix(2, 2), CONFIG)


class TestWhetherWeightsAreThoseOfAFile:
    @pytest.fixture
    def model(self, tmp_path) -> Path:
        writer = gguf.GGUFWriter(str(tmp_path / "m.gguf"), "llama")
        writer.add_block_count(1)
        writer.add_embedding_length(16)
        writer.add_feed_forward_length(24)
        writer.add_head_count(4)
        writer.add_tensor("output_norm.weight", matrix(16))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return tmp_path / "m.gguf"

    def test_the_same_in_16_bits_are(self, model):
        assert why_another_model(model, CONFIG, matrix(16).astype(np.float16).astype(np.float32)) == ""

    def test_others_of_the_same_shape_are_not(self, model):
        assert why_another_model(model, CONFIG, matrix(16) + 0.1) == "they have the same shape and other weights"

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"num_hidden_layers": 2}, "block_count is 1 in one and 2"),
            ({"model_type": "gpt2"}, "llama, the other a gpt"),
        ],
    )
    def test_those_of_another_shape_are_named(self, model, change, why):
        assert why in why_another_model(model, {**CONFIG, **change}, matrix(16))
