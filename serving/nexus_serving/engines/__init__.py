"""The models' logic, free of Triton: numpy, onnxruntime and tokenizers are all it needs."""
