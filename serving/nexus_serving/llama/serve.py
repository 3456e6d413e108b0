"""llama.cpp's server with one model: `python serve.py '{"model": …, "context": …, "slots": …, "threads": …}'`.

Runs in an environment that has nothing but xllamacpp. When the model is loaded it says so on standard output, one line
of JSON, and serves until its standard input ends: it cannot outlive who started it. With `"check": true` it only loads.
"""

import json
import os
import secrets
import signal
import sys
from typing import Any

import xllamacpp

LOG_INFO = 3


def main() -> None:
    asked = json.loads(sys.argv[1])
    key = os.environ.get("LLAMA_API_KEY") or secrets.token_urlsafe(24)
    server = xllamacpp.Server(_parameters(asked, key))
    # llama.cpp has taken over the signals; who stops us ends us, and there is nothing to save.
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.SIG_DFL)
    sys.stdout.write(json.dumps({"address": server.listening_address, "key": key}) + "\n")
    sys.stdout.flush()
    if not asked.get("check"):
        sys.stdin.read()
    os._exit(0)  # an orderly end would wait for answers that nobody will read


def _parameters(asked: dict[str, Any], key: str) -> xllamacpp.CommonParams:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = asked["model"]
    parameters.model_alias = {asked.get("name", "reader")}
    if asked.get("adapter"):
        parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(asked["adapter"], 1.0)]
    parameters.n_ctx = asked["context"] * asked["slots"]
    parameters.n_parallel = asked["slots"]
    parameters.cpuparams.n_threads = asked["threads"]
    parameters.cpuparams_batch.n_threads = asked["threads"]
    # Idle threads sleep: the machine is shared, and spinning ones made an answer wait for seconds where others work.
    parameters.cpuparams.poll = parameters.cpuparams_batch.poll = 0
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = asked.get("port", 0)
    parameters.api_keys = [key]
    parameters.ui = False
    parameters.warmup = not asked.get("check")
    parameters.verbosity = LOG_INFO
    return parameters


if __name__ == "__main__":
    main()
