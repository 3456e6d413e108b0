"""The models' logic, free of Triton: numpy, onnxruntime and tokenizers are all it needs."""

ENGINE = "extractive/2"
"""Part of a reader's digest: raise it with any change of the rules that changes answers."""
