# `make mine` mines, `make test` tests. Anything longer than a few lines is Rust: `cargo xtask --help`.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/automl
export CARGO_TARGET_DIR ?= $(CACHE)/target

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.PHONY: help mine subnet build test test-full cluster cluster-down bench bench-operator bench-ledger bench-ci docs env tools clean
# torch-sys is compiled again whenever this changes: every cargo here gets the same one (xtask sets it by itself).
WITH_LIBTORCH := [ -x "$(CARGO_TARGET_DIR)/release/xtask" ] || echo "compiling the build's helper first: a minute, once" >&2; LIBTORCH=$$(cargo xtask libtorch --print); export LIBTORCH

help: ## Say what can be made
	@grep -E '^[a-z-]+:.* ## ' Makefile | sed -E 's/^([a-z-]+):.* ## /make \1\t/' | expand -t 21

mine: build ## Evolve a loss function on real data, here and now
	@$(CARGO_TARGET_DIR)/release/runner run -f manifests/samples/minerrun-digits.yaml

subnet: build ## Play a whole subnet here: miners, a thief, validators; say who earned what and why
	@$(CARGO_TARGET_DIR)/release/runner subnet --out $$(mktemp -d)/subnet

build: tools ## Build the runner
	@$(WITH_LIBTORCH)
	cargo build --release --locked --package automl-runner

test: tools ## Everything there is to test, once, with small counts
	@cargo xtask test

test-full: tools ## The same with large counts, in slices that a second call does not repeat; writes figures
	@cargo xtask figures

cluster: tools ## Bring up a Kubernetes here, with the operator and a sample run (needs root)
	@$(WITH_LIBTORCH)
	cargo run --quiet --release --locked --package automl-testbed -- up --node --install

cluster-down: ## End exactly what `make cluster` started
	@cargo run --quiet --release --locked --package automl-testbed -- down

bench: tools ## Measure this machine and write docs/figures
	@cargo xtask bench

bench-operator: tools ## Measure the operator on a Kubernetes of its own: half an hour, as root
	@cargo xtask bench --operator

bench-ledger: tools ## Measure the ledger on SQLite and PostgreSQL
	@cargo xtask bench --ledger

bench-ci: tools ## Measure how long continuous integration takes, cold and warm
	@cargo xtask bench --ci

docs: tools ## Write the generated files anew
	@cargo xtask generate

env: ## Print what cargo needs by hand: eval "$(make -s env)"
	@$(WITH_LIBTORCH)
	printf 'export %s=%q\n' CARGO_TARGET_DIR "$$CARGO_TARGET_DIR" LIBTORCH "$$LIBTORCH"

# cargo cannot link anything without a compiler, not even xtask: this much is shell.
tools:
	@need=()
	command -v c++ >/dev/null && command -v cc >/dev/null || need+=(g++)
	python3 -m pip --version >/dev/null 2>&1 || [ -n "$${LIBTORCH:-}" ] || need+=(python3 python3-pip)
	if [ $${#need[@]} -gt 0 ]; then
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$${need[@]}"
	  else
	    echo "missing: $${need[*]}; on Debian or Ubuntu: sudo apt-get update && sudo apt-get install --no-install-recommends $${need[*]}" >&2
	    exit 1
	  fi
	fi >&2
	command -v cargo >/dev/null || { echo "missing: a Rust toolchain with cargo (rustup, see CONTRIBUTING.md)" >&2; exit 1; }

clean: ## Forget what was built; libtorch and tools stay
	@rm -rf "$(CARGO_TARGET_DIR)"
