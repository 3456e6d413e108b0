"""Export a trained reader (a transformers folder) to what Triton serves: int8 ONNX, tokenizer, reader.json.

Example: python serving/export_reader.py trained/ models/reader --threshold -3
"""

import argparse
from pathlib import Path

from nexus_serving.reader_model import Calibration, export_reader


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder with config.json, model.safetensors and tokenizer.json")
    parser.add_argument("target", type=Path, help="folder to write")
    parser.add_argument("--threshold", type=float, required=True, help="score below which the reader abstains")
    parser.add_argument("--fp32", action="store_true", help="keep full precision, to measure what int8 costs")
    asked = parser.parse_args()
    export_reader(asked.source, asked.target, Calibration(asked.threshold), int8=not asked.fp32)


if __name__ == "__main__":
    main()
