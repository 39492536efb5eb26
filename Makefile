# The commands of this workspace; `make` alone lists them. Prerequisites: Rust (rustup), Python 3.10 or later, make.
#
# Tools are in .venv, builds in the target directory, which CARGO_TARGET_DIR overrides.

.DEFAULT_GOAL := help
.PHONY: help setup cognito-local oracle build build-local compile-local check-parameters check-arguments check-credentials check-samconfig check fmt format lint doc deny advisories validate clients check-clients openapi docs test properties contract fuzz fuzz-lock mutants bench guard load jobs soak demo dev invoke prove deploy destroy

ifneq ($(words $(CURDIR)),1)
$(error The path of this directory contains a space, which make does not support; clone into a path without spaces)
endif

PYTHON ?= python3
VENV := $(CURDIR)/.venv
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
HOST_ARCHITECTURE = $(if $(filter aarch64%,$(HOST)),arm64,x86_64)
# By default, the functions are built for the architecture of this machine. Builds for AWS use ARCHITECTURE.
BUILT = $(HOST_ARCHITECTURE)
FUNCTIONS := pre-sign-up pool-bootstrap admin-api authorizer user-migration jobs-worker jobs-exporter jobs-api
# The unoptimized functions and the program that deploys them, in one build, because each set of features compiles the
# AWS SDK.
BUILD_LOCAL = cargo build --locked --target $(HOST) $(addprefix --package ,$(FUNCTIONS) local)
PACKAGE_LOCAL = scripts/package-local $(TARGET)/$(HOST)/debug $(TARGET)/sam/local/build
LOCAL = $(TARGET)/$(HOST)/debug/local
TESTED = --workspace --locked --target $(HOST)
PIP_INSTALL = $(VENV)/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --no-compile --no-deps --require-hashes
DENY_VERSION := 0.20.2
DENY_ROOT := $(TARGET)/tools/cargo-deny-$(DENY_VERSION)
DENY := $(DENY_ROOT)/bin/cargo-deny
MDBOOK_VERSION := 0.5.2
MDBOOK_ROOT := $(TARGET)/tools/mdbook-$(MDBOOK_VERSION)
MDBOOK := $(MDBOOK_ROOT)/bin/mdbook
NEXTEST_VERSION := 0.9.143
NEXTEST_ROOT := $(TARGET)/tools/cargo-nextest-$(NEXTEST_VERSION)
# The redirection makes old versions of make run a shell, which `command` needs.
NEXTEST := $(or $(shell command -v cargo-nextest 2>/dev/null),$(NEXTEST_ROOT)/bin/cargo-nextest)
COGNITO_LOCAL := $(VENV)/cognito-local
COGNITO_LOCAL_PINS := $(addprefix crates/testkit/cognito-local/,requirements.txt package.json package-lock.json)
ORACLE := $(VENV)/oracle
# The generators, compilers and linters of the clients in clients/.
CLIENTS := $(VENV)/clients-python/ready $(VENV)/clients-typescript/ready
REAL_CLIENTS := $(VENV)/real-clients
AWS_CLI := $(VENV)/aws-cli
# The packages of the examples, and the browser that opens the page of examples/web.
EXAMPLES_READY := $(foreach name,browser express fastapi web,$(VENV)/examples-$(name)/ready)
ORACLE_RUN = $(VENV)/bin/python -B crates/testkit/oracle/oracle.py
DEPLOY = $(VENV)/bin/python crates/local/src/deploy.py
FUZZ_VERSION := 0.13.2
FUZZ_ROOT := $(TARGET)/tools/cargo-fuzz-$(FUZZ_VERSION)
CARGO_FUZZ := $(FUZZ_ROOT)/bin/cargo-fuzz
MUTANTS_VERSION := 27.1.0
MUTANTS_ROOT := $(TARGET)/tools/cargo-mutants-$(MUTANTS_VERSION)
CARGO_MUTANTS := $(MUTANTS_ROOT)/bin/cargo-mutants
# Builds a pinned tool: name, version, root and further arguments.
build_tool = echo 'Building $(1) $(2) into $(3) (once, some minutes)' && cargo install --quiet --locked --version $(2) --root $(3) $(1) $(4)

# Architecture of the deployed functions: arm64 or x86_64. The default is that of `sam build` and `sam deploy`.
ARCHITECTURE ?= $(shell sed -n 's/^parameter_overrides = "Architecture=\([a-z0-9_]*\)"$$/\1/p' samconfig.toml)
# Parameters of template.yaml. PARAMETERS='AutoConfirm=nobody PoolName=shop Groups="admins, support" Roles={"admins": ["all"]}'.
PARAMETERS ?=
# deploy, destroy: STACK overrides the stack of samconfig.toml; YES=1 asks nothing. REHEARSE=1 deploys to an emulator, which it starts.
STACK ?=
YES ?=
REHEARSE ?=
# contract: the number of generated requests per operation, and the seed. Each run prints its seed, which repeats the
# run.
EXAMPLES ?= 500
SEED ?= $(shell date +%s)
# fuzz: the target (a file in fuzz/fuzz_targets), the number of executions or SECONDS, or one INPUT, such as a finding.
# SANITIZER=address needs a nightly Rust.
FUZZ ?= event
RUNS ?= $(if $(SECONDS),-1,1000000)
SECONDS ?=
INPUT ?=
SANITIZER ?= none
# mutants: one FILE instead of those in .cargo/mutants.toml, and a part of the mutants, e.g. SHARD=0/4.
FILE ?=
SHARD ?=
# bench: QUICK=1 takes fewer samples, in less than two minutes, and ARGUMENTS="--only sign-up" measures some rows; both write no files.
QUICK ?=
# load: ARGUMENTS="--instances 64" sends more requests at the same time.
# jobs: the numbers of rows and of kills, and the SEED of contract. 100,000 rows take 33 minutes at the default quotas.
ROWS ?= 10000
KILLS ?= 10
# soak: the duration of the load, which can be a fraction.
MINUTES ?= 30
# demo, dev, invoke: e.g. ARGUMENTS="--port 4566 --parameter AutoConfirm=nobody"; invoke also takes --setting AUTO_CONFIRM=nobody.
ARGUMENTS ?=

# For the programs that a recipe starts. make 3.81 of macOS does not search this PATH for the first word of a recipe
# line, so recipes name the programs of .venv with their path.
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
	@scripts/setup '$(PYTHON)'

# The order-only prerequisite creates .venv, and fails before the download.
$(VENV)/zig-ready: requirements-zig.txt | check-samconfig
	@echo 'Installing zig, which cross-compiles the functions, into .venv (once, 420 MB)'
	@$(PIP_INSTALL) -r $<
	@touch $@

# cognito-local, a second emulator, with a Node.js from PyPI and packages pinned by npm, without their install scripts.
cognito-local: setup
	@$(MAKE) --silent --no-print-directory $(COGNITO_LOCAL)/ready

$(COGNITO_LOCAL)/ready: $(COGNITO_LOCAL_PINS)
	@echo 'Installing cognito-local, a second emulator of Cognito, and Node.js into .venv (once, some seconds)'
	@$(PIP_INSTALL) -r $<
	@scripts/install-npm-packages $(COGNITO_LOCAL) $(wordlist 2,3,$^)

# Uses the Node.js of cognito-local.
$(ORACLE)/ready: $(addprefix crates/testkit/oracle/,package.json package-lock.json) | cognito-local
	@echo 'Installing AWS service authorization data and an IAM simulator into .venv (once, some seconds)'
	@scripts/install-npm-packages $(ORACLE) $^

oracle: $(ORACLE)/ready ## Check the roles of template.yaml against AWS service authorization data
	@$(ORACLE_RUN) static template.yaml
	@$(VENV)/bin/python -B -m unittest discover --quiet --start-directory crates/testkit/oracle

# Uses the Node.js of cognito-local. The AWS CLI has an environment of its own, because it starts faster without the
# packages of .venv.
$(REAL_CLIENTS)/ready: $(addprefix crates/local/tests/real_clients/,package.json package-lock.json requirements.txt) | cognito-local
	@echo 'Installing Amplify, amazon-cognito-identity-js and the AWS CLI into .venv (once, some seconds)'
	@$(VENV)/bin/python -m venv --clear $(AWS_CLI)
	@$(subst $(VENV)/bin/pip,$(AWS_CLI)/bin/pip,$(PIP_INSTALL)) -r $(word 3,$^)
	@scripts/install-npm-packages $(REAL_CLIENTS) $(wordlist 1,2,$^)

# The examples use the Node.js of cognito-local.
$(VENV)/examples-express/ready: $(addprefix examples/express/,package.json package-lock.json) | cognito-local
	@echo 'Installing the packages of examples/express into .venv (once, some seconds)'
	@scripts/install-npm-packages $(VENV)/examples-express $^
	@ln -s ../../../clients/typescript $(VENV)/examples-express/node_modules/poolkeeper-client

$(VENV)/examples-web/ready: $(addprefix examples/web/,package.json package-lock.json) | cognito-local
	@echo 'Installing the packages of examples/web into .venv (once, some seconds)'
	@scripts/install-npm-packages $(VENV)/examples-web $^

$(VENV)/examples-browser/ready: $(addprefix crates/local/tests/examples/,package.json package-lock.json) | cognito-local
	@echo 'Installing a browser for the test of examples/web into .venv (once, 70 MB)'
	@scripts/install-npm-packages $(VENV)/examples-browser $^

$(VENV)/examples-fastapi/ready: examples/fastapi/requirements.txt | setup
	@echo 'Installing the packages of examples/fastapi into .venv (once, some seconds)'
	@$(VENV)/bin/python -m venv --clear $(dir $@)
	@$(subst $(VENV)/bin/pip,$(dir $@)bin/pip,$(PIP_INSTALL)) -r $<
	@touch $@

check-samconfig: setup
	@$(DEPLOY) samconfig samconfig.toml

build: check-samconfig $(VENV)/zig-ready ## Build the functions for AWS (ARCHITECTURE=arm64 or x86_64)
	$(VENV)/bin/sam build --build-dir $(TARGET)/sam/aws/build --parameter-overrides Architecture=$(ARCHITECTURE)
	@$(DEPLOY) binaries $(TARGET)/sam/aws/build $(ARCHITECTURE)

# Compiles while the tools are downloaded, because neither needs the other.
build-local:
	@scripts/setup '$(PYTHON)' check
	@$(MAKE) --no-print-directory --jobs=2 $(or $(TOOLS),setup) compile-local
	@$(PACKAGE_LOCAL)

compile-local:
	$(BUILD_LOCAL)

check: setup format lint check-clients doc deny validate ## Check format, lints, clients, documentation, licenses and template

fmt: ## Format the code
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml

format:
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check

# Also compiles each function alone, as it is deployed, because other members of the workspace can enable a feature that
# it needs.
lint: ## Run clippy; a warning is an error
	cargo clippy --workspace --all-targets --locked --target $(HOST) -- -D warnings
	for function in $(FUNCTIONS); do cargo check --package $$function --locked --target $(HOST) || exit 1; done
	cargo clippy --manifest-path fuzz/Cargo.toml --no-default-features --locked --target $(HOST) -- -D warnings

doc: ## Build the documentation; a warning is an error
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --target $(HOST)

deny: $(DENY) ## Check licenses, bans and sources of all dependencies
	$(DENY) check --hide-inclusion-graph licenses bans sources

advisories: $(DENY) ## Check for known vulnerabilities; fetches the RustSec database
	$(DENY) check advisories

$(DENY):
	@$(call build_tool,cargo-deny,$(DENY_VERSION),$(DENY_ROOT))

validate: setup ## Check the templates
	$(VENV)/bin/sam validate --lint --region us-east-1
	$(VENV)/bin/cfn-lint template.yaml crates/local/src/prove/probes.yaml examples/gated-api.yaml

docs: setup $(MDBOOK) ## Build the documentation site, the API reference included: target/docs/index.html
	@$(MDBOOK) build --dest-dir $(TARGET)/docs
	@$(VENV)/bin/python docs/render.py docs/openapi.json $(TARGET)/docs/api.html

$(MDBOOK):
	@$(call build_tool,mdbook,$(MDBOOK_VERSION),$(MDBOOK_ROOT),--no-default-features --features search)

test: setup cognito-local oracle $(CLIENTS) $(REAL_CLIENTS)/ready $(EXAMPLES_READY) $(NEXTEST) ## Run all tests, including the end-to-end tests on emulators
	$(NEXTEST) nextest run --no-run $(TESTED)
	@$(PACKAGE_LOCAL)
	@scripts/clients build $(HOST)
	@rm -rf $(TARGET)/oracle $(TARGET)/examples
	$(NEXTEST) nextest run $(TESTED)
	cargo test --doc $(TESTED)
	@scripts/clients test $(HOST)
	@$(ORACLE_RUN) recorded template.yaml $(TARGET)/oracle/recorded
	@if [ -f $(TARGET)/examples/not-run ]; then cat $(TARGET)/examples/not-run; fi

$(NEXTEST_ROOT)/bin/cargo-nextest:
	@$(call build_tool,cargo-nextest,$(NEXTEST_VERSION),$(NEXTEST_ROOT))

properties: ## Run the property tests of the sign-up trigger (100,000 events each) and the model test of the admin API (200,000 steps)
	cargo test --profile properties --package pre-sign-up --test properties --locked --target $(HOST)
	POOLKEEPER_TEST_REQUESTS=$(or $(POOLKEEPER_TEST_REQUESTS),200000) cargo test $(TESTED) --lib -- --nocapture model_tests::no_sequence

contract: setup ## Test the admin API against docs/openapi.json with random requests (EXAMPLES=500)
	POOLKEEPER_TEST_EXAMPLES=$(EXAMPLES) POOLKEEPER_TEST_SEED=$(SEED) cargo test --package admin-api --test contract --locked \
	  --target $(HOST) -- --nocapture api_conforms_to_its_openapi_document

fuzz: $(CARGO_FUZZ) ## Fuzz a target: FUZZ=event RUNS=10000000, or SECONDS=600
	@scripts/fuzz $(CARGO_FUZZ) $(HOST) $(FUZZ) $(RUNS) $(or $(SECONDS),0) $(SANITIZER) $(abspath $(INPUT))

$(CARGO_FUZZ):
	@$(call build_tool,cargo-fuzz,$(FUZZ_VERSION),$(FUZZ_ROOT))

fuzz-lock: ## Update fuzz/Cargo.lock to the versions of Cargo.lock
	@cp Cargo.lock fuzz/Cargo.lock
	@cargo metadata --format-version 1 --manifest-path fuzz/Cargo.toml > $(TARGET)/fuzz-metadata.json

# Skips mutants that an earlier run caught. Uses a separate target directory, because cargo would mistake mutants for
# the originals.
mutants: $(CARGO_MUTANTS) ## Run mutation tests of the authorization code
	CARGO_TARGET_DIR=$(TARGET)/mutants $(CARGO_MUTANTS) mutants --output $(TARGET) $(if $(FILE),--re '^$(FILE):') $(if $(SHARD),--shard $(SHARD),--iterate)

$(CARGO_MUTANTS):
	@$(call build_tool,cargo-mutants,$(MUTANTS_VERSION),$(MUTANTS_ROOT))

# scripts/build-bench needs the Node.js of cognito-local.
bench: cognito-local ## Measure start, calls and memory beside equivalent programs, and write docs/benchmarks.md (QUICK=1)
	@scripts/build-bench
	@$(TARGET)/release/bench measure --target $(TARGET) $(if $(QUICK),--quick) $(ARGUMENTS)

guard: setup ## Compare sizes, instructions (with valgrind) and connections with the last `make bench`
	@scripts/build-bench guard
	@$(TARGET)/release/bench guard --target $(TARGET)

load: setup ## Put the admin API under load against the default quotas of Cognito, for at most a minute
	@scripts/build-bench load
	@$(TARGET)/release/bench load --target $(TARGET) $(ARGUMENTS)

jobs: setup $(NEXTEST) ## Import a file while workers are killed and Cognito throttles: ROWS=10000 KILLS=10 SEED=1 FAULTS=1
	$(NEXTEST) nextest run --no-run $(TESTED)
	@$(PACKAGE_LOCAL)
	POOLKEEPER_TEST_ROWS='$(ROWS)' POOLKEEPER_TEST_KILLS='$(KILLS)' POOLKEEPER_TEST_SEED='$(SEED)' \
	  POOLKEEPER_TEST_FAULTS='$(FAULTS)' $(NEXTEST) nextest run $(TESTED) --no-capture -E 'test(each_row_has_one_user_and_one_result_after_crashes)'

soak: build-local ## Send mixed requests to all functions on an emulator, and check memory and descriptors (MINUTES=30)
	@$(LOCAL) soak --minutes '$(MINUTES)'

demo: TOOLS = cognito-local
demo: check-arguments build-local ## Deploy to an emulator and run every flow, step by step
	@$(LOCAL) demo $(ARGUMENTS)

dev: check-arguments build-local ## Deploy to an emulator and keep it running, to try the API with curl
	@$(LOCAL) dev $(ARGUMENTS)

invoke: check-arguments build-local ## Send an event to a function on an emulator: FUNCTION=pre-sign-up EVENT=events/pre-sign-up/….json
	@$(LOCAL) invoke '$(FUNCTION)' '$(EVENT)' $(ARGUMENTS)

# AWS_ENDPOINT_URL selects an emulator instead of AWS.
prove: BUILT = $(if $(AWS_ENDPOINT_URL),$(HOST_ARCHITECTURE),$(ARCHITECTURE))
prove: check-arguments check-credentials $(if $(findstring --clean,$(ARGUMENTS)),,$(if $(AWS_ENDPOINT_URL),build-local,build)) ## Deploy to your AWS account, run every flow, and delete everything (ARGUMENTS="--region eu-west-1")
	@$(LOCAL) prove --architecture $(BUILT) $(ARGUMENTS)

# Fails before the optimized build.
check-credentials: setup
	@$(BUILD_LOCAL)
	@$(LOCAL) prove --check $(ARGUMENTS)

$(VENV)/clients-python/ready: clients/python/requirements.txt | setup
	@echo 'Installing the generator of the Python client into .venv (once, some seconds)'
	@$(VENV)/bin/python -m venv --clear $(dir $@)
	@$(subst $(VENV)/bin/pip,$(dir $@)bin/pip,$(PIP_INSTALL)) -r $<
	@touch $@

# Uses the Node.js of cognito-local.
$(VENV)/clients-typescript/ready: $(addprefix clients/typescript/,package.json package-lock.json) | cognito-local
	@echo 'Installing the generator of the TypeScript client into .venv (once, some seconds)'
	@scripts/install-npm-packages $(VENV)/clients-typescript $^

clients: $(CLIENTS) ## Generate the clients in clients/ from docs/openapi.json
	@scripts/clients generate $(HOST)

check-clients: $(CLIENTS)
	@scripts/clients check $(HOST)

openapi: ## Generate docs/openapi.json and the table in docs/permissions.md from the code
	cargo run --quiet --locked --package admin-api --example openapi --target $(HOST) -- docs

# PARAMETERS is passed in the environment, because make and the shell would expand it and remove its quotes.
check-parameters deploy: export POOLKEEPER_PARAMETERS := $(value PARAMETERS)
check-parameters: setup
	@$(DEPLOY) parameters '$(ARCHITECTURE)'

# Without arguments there is nothing to check, so that the first `make demo` does not wait for the tools.
check-arguments: $(if $(ARGUMENTS)$(FUNCTION),setup)
	$(if $(ARGUMENTS)$(FUNCTION),@$(DEPLOY) arguments '$(BUILT)' '$(FUNCTION)' $(ARGUMENTS))

# AWS_ENDPOINT_URL selects an emulator instead of AWS, as REHEARSE=1 does. The script asks before it runs the target of the build.
deploy: ON_EMULATOR = $(or $(REHEARSE),$(AWS_ENDPOINT_URL))
deploy: setup ## Deploy to AWS (STACK=shop YES=1 PARAMETERS='AutoConfirm=nobody PoolName=shop'), or rehearse it (REHEARSE=1)
	@$(DEPLOY) run --config $(CURDIR)/samconfig.toml --architecture '$(if $(ON_EMULATOR),$(HOST_ARCHITECTURE),$(ARCHITECTURE))' \
	  --build $(if $(ON_EMULATOR),build-local,build) --template $(TARGET)/sam/$(if $(ON_EMULATOR),local,aws)/build/template.yaml \
	  $(if $(STACK),--stack '$(STACK)') $(if $(YES),--yes) $(if $(REHEARSE),--rehearse)

destroy: setup ## Delete the stack from AWS, and list remaining resources (STACK=shop YES=1)
	@$(VENV)/bin/python crates/local/src/destroy.py $(if $(STACK),--stack-name '$(STACK)') $(if $(YES),--yes)
