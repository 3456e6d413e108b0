"""A training counts in 16 bits where that is computed, and not where it is imitated."""

import pytest
import torch
from trainer import precision
from trainer.precision import has_bfloat16, sixteen_bits

HASWELL = {"architecture": "x86_64", "avx2": True, "fma3": True, "avx512_f": False, "avx512_bf16": False}
ICE_LAKE = {"architecture": "x86_64", "avx2": True, "avx512_f": True, "avx512_vnni": True, "avx512_bf16": False}
SAPPHIRE_RAPIDS = ICE_LAKE | {"avx512_bf16": True, "amx_bf16": True}
GRAVITON_2 = {"architecture": "aarch64", "neon": True, "bf16": False}
GRAVITON_3 = GRAVITON_2 | {"bf16": True, "sve": True, "sve_bf16": True}


@pytest.mark.parametrize(
    ("processor", "has_it"),
    [
        (HASWELL, False),
        (ICE_LAKE, False),
        (SAPPHIRE_RAPIDS, True),
        (GRAVITON_2, False),
        (GRAVITON_3, True),
        ({}, False),
    ],
)
def test_a_processor_computes_bfloat16_or_does_not(processor, has_it):
    assert has_bfloat16(processor) is has_it


@pytest.mark.parametrize("computed", [True, False])
def test_without_a_gpu_it_is_the_processor_that_decides(monkeypatch, computed):
    monkeypatch.setattr(precision.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(precision.torch.cpu, "get_capabilities", lambda: {"avx512_bf16": computed})
    assert sixteen_bits() is computed


def test_pytorch_still_calls_it_so():
    says = torch.cpu.get_capabilities()
    assert {"avx512_bf16", "amx_bf16"} <= says.keys() or "bf16" in says
