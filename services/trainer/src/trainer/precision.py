"""In how many bits the large products of a training are computed."""

from collections.abc import Mapping
from typing import Any, Final

import torch

_BFLOAT16: Final = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
"""What PyTorch calls it where a processor computes bfloat16 by itself: x86's two, ARM's two."""


def sixteen_bits() -> bool:
    """Whether bfloat16 is computed by what the training runs on, and not imitated: on a processor that has to imitate
    it, a step takes some fifteen times as long as in 32 bits."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return has_bfloat16(torch.cpu.get_capabilities())


def has_bfloat16(capabilities: Mapping[str, Any]) -> bool:
    """Of a processor, by what torch.cpu.get_capabilities says of it."""
    return any(capabilities.get(name) for name in _BFLOAT16)
