# What can be done here. `make` alone prints this menu.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python

##@ Run
.PHONY: up down status logs demo
up: ## set up what is missing, start the stack, wait until it is ready (WITHOUT=rag leaves a part out)
	@embedded/setup.sh
	@$(PYTHON) -m embedded up $(addprefix --without=,$(WITHOUT))

down: .venv ## stop the stack; documents and answers are kept in .nexus
	@$(PYTHON) -m embedded down

status: .venv ## show every part: state, restarts, memory
	@$(PYTHON) -m embedded status

logs: .venv ## follow the logs (PART=rag follows one part)
	@$(PYTHON) -m embedded logs $(PART)

demo: ## both loops on a fresh stack of its own, with a printed timeline; KEEP=yes leaves it running
	@embedded/setup.sh
	@$(PYTHON) -m demo

##@ Develop
.PHONY: setup training-tools check test test-long bench openapi dashboards scaling
setup: ## install what the tests and tools below need
	@embedded/setup.sh --tests

training-tools: ## install what training needs (PyTorch among it), after NEXUS_TRAINING=off
	@embedded/setup.sh --training

check: setup ## format, lint, types, import rules
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache | tail -n 1

# Two workers have a processor each: a training that wants both waits for itself most of the time.
test: export OMP_NUM_THREADS ?= 1
test: setup ## unit, contract, end-to-end and browser tests, and those of the manifests
	@k8s/tools.sh
	@$(PYTHON) serving/prepare.py
	@.venv/bin/pytest -q -n 2 --dist loadscope --no-loadscope-reorder

test-long: setup ## what takes minutes by itself: the model loop, a retraining by its workflow, a training from nothing
	@k8s/tools.sh
	@$(PYTHON) serving/prepare.py
	@.venv/bin/pytest -q -m long tests/e2e services/trainer

bench: setup ## measure the running stack (or one of its own): a table, and JSON in bench-results/
	@$(PYTHON) -m tests.load

openapi: setup ## write services/gateway/openapi.json anew
	@$(PYTHON) -m gateway openapi > services/gateway/openapi.json

dashboards: setup ## write monitoring/dashboards anew, after a change of rules, runbooks or monitoring/grafana
	@$(PYTHON) -m monitoring.grafana

scaling: setup ## write the tables and pictures of docs/scaling.md anew, after a change of tests/load/capacity
	@$(PYTHON) -m tests.load.capacity

##@ Containers
.PHONY: images e2e-compose backup restore
images: export NEXUS_REVISION ?= $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
images: ## build every image (NEXUS_VERSION=0.1.0 names them)
	@docker compose build
	@docker build --quiet --file tests/smoke/Dockerfile --tag $(NEXUS_REGISTRY)nexus/smoke:$(or $(NEXUS_VERSION),0.1.0) .

e2e-compose: setup images ## the end-to-end suite on the stack in containers, on ports and volumes of its own (MARKS="not long")
	@docker build --quiet --tag nexus-test/object-store:1 tests/compose/object_store
	@NEXUS_E2E_STACK=compose .venv/bin/pytest -q -m "$(MARKS)" tests/compose tests/e2e

backup: ## save what the stack in containers keeps (TO=folder)
	@compose/backup.sh $(TO)

restore: ## put a backup in its place (FROM=folder)
	@compose/restore.sh $(FROM)

##@ Kubernetes
.PHONY: manifests env pin-images rules
manifests: setup ## render and check everything in k8s/
	@k8s/tools.sh
	@.venv/bin/pytest -q -n 2 tests/manifests

env: ## a new environment: make env NAME=uat
	@k8s/new-environment.sh "$(NAME)"

pin-images: setup ## write the digests of an environment's images: make pin-images ENV=prod REGISTRY=registry.example.com/
	@k8s/tools.sh
	@k8s/pin-images.sh "$(ENV)" "$(REGISTRY)"

rules: setup ## write k8s/base/monitoring/prometheus-rule.yaml anew, after a change of monitoring/rules
	@$(PYTHON) -m provisioning rules > k8s/base/monitoring/prometheus-rule.yaml

##@
.PHONY: help
help:
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv:
	@embedded/setup.sh
