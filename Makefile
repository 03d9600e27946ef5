# The logic is in infra/local (Python, standard library only) and in Rust.

# Python 3.10 to 3.14. If `python3` has another version, name one: make up PYTHON=python3.12
PYTHON := python3
CLOUD := $(PYTHON) infra/local
AWS := $(PYTHON) infra/aws

# The text as one word of the shell, with all characters quoted.
quoted = '$(subst ','\'',$(1))'
define line_break


endef
# A variable as typed, which the shell splits into words. make would expand a $ in it, and end the command at a line break.
shell_words = $(if $(findstring $(line_break),$(value $(1))),$(error $(1) has a line break, which make cannot pass on))$(value $(1))
# The same as one word.
typed = $(call quoted,$(call shell_words,$(1)))
# An option with the value of a variable, or nothing if the variable is empty.
option = $(if $(value $(2)), $(1) $(call typed,$(2)))

# The environment in samconfig.toml: dev or prod.
CONFIG_ENV ?= dev
# The stack for deploy, smoke and destroy: STACK=name REGION=eu-central-1 PROFILE=name ENDPOINT_URL=…, all optional.
TARGET = $(call option,--config-env,CONFIG_ENV)$(call option,--stack-name,STACK)$(call option,--region,REGION)
TARGET += $(call option,--profile,PROFILE)$(call option,--endpoint-url,ENDPOINT_URL)
# Split at spaces. `python3 infra/aws deploy --parameter 'NAME=a value'` takes any value.
PARAMETER_OPTIONS = $(foreach parameter,$(call shell_words,PARAMETERS), --parameter $(call quoted,$(parameter)))

# cargo-lambda always names the target. Naming it everywhere lets all builds share their artefacts.
export CARGO_BUILD_TARGET ?= $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')

# The functions of the benchmark.
MEASURED := $(notdir $(patsubst %/,%,$(wildcard functions/*/)))
COMPILER := cargo

.PHONY: help demo up down restart env test test-localstack test-differential soak gate picture check bench build deploy smoke destroy

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

demo: ## Install, build, start and deploy; fill stock and accounts; send sample orders down all lanes; PORT=4577 for another port
	@$(CLOUD) demo$(call option,--port,PORT)

up: ## Build, start the local cloud and deploy to it; PORT=4577 for another port, EMULATOR=localstack-core for another emulator
	@$(CLOUD) up$(call option,--port,PORT)$(call option,--emulator,EMULATOR)

down: ## Stop what `make up` started
	@$(CLOUD) down

restart: ## Restart the local cloud with all its data, as after a reboot
	@$(CLOUD) restart

env: ## Print shell exports for the local cloud: eval "$(make -s env)"
	@$(CLOUD) env

check: ## Check formatting, lints, documentation, template policies, dependencies and plain English; fail on warnings
	@$(CLOUD) check

test: ## Run check and every test, the end-to-end tests on separate local clouds; print how long each step took
	@$(CLOUD) tests

# Needs no Docker and no token, but Python 3.13 on this machine.
test-localstack: ## Run the end-to-end tests on LocalStack's open-source core; list the tests that cannot run there
	@$(CLOUD) test-localstack

# To accept a difference, declare it in tests/differential/known.rs and list it in docs/emulators.md.
test-differential: ## Compare both emulators: one table of requests, field by field; fail on undeclared differences
	@$(CLOUD) differential

# Every wait has a deadline, so the run always ends.
soak: ## Run the full fault suite on a separate local cloud: a storm of 2 000 orders, an outage of a minute, restarts
	@$(CLOUD) exec --dir .local/soak --port 0 -- env TWOLANE_SOAK=1 sh -c '\
		cargo build --locked --workspace --all-features --all-targets && \
		cargo test --locked --workspace --all-features --test faults'

# Builds the same targets as `make test`: other targets would compile the SDK again, with other features. It requires counts only:
# the machine may be too busy for times (--max-lag), or for the default rate.
gate: ## Compare the lanes on a separate local cloud; fail if a lane loses an order; SUMMARY=file.md JUNIT=file.xml
	@cargo build --locked --workspace --all-features --all-targets
	@$(CLOUD) exec --built --dir .local/gate --port 0 -- \
		"$${CARGO_TARGET_DIR:-target}/$(CARGO_BUILD_TARGET)/debug/twolane" compare --yes --rate 2 --max-lag 600000 --output .local/gate-report \
		--require '*.lost==0' --require '*.failed==0' --require '*.deadLetters==0'$(call option,--summary,SUMMARY)$(call option,--junit,JUNIT)

# UPDATE_DOCS=1 makes the tests write the files that they otherwise compare.
picture: ## Run a burst on a separate local cloud, and put its pictures and figures into the README
	@cargo build --locked --workspace --all-features --all-targets
	@UPDATE_DOCS=1 $(CLOUD) exec --dir .local/picture --port 0 -- sh -c '\
		"$${CARGO_TARGET_DIR:-target}/$(CARGO_BUILD_TARGET)/debug/twolane" compare --yes --scenario burst --lanes sync,async --output docs/burst && \
		cargo test --locked --workspace --all-features --test page -- burst'
	@rm docs/burst/report.html
	@UPDATE_DOCS=1 cargo test --locked --workspace --all-features --test cli -- readme

# Takes minutes to build: it builds each function separately with cargo-lambda, as SAM does. Built together, each function would
# get the features that any of them needs. COMPILER=cargo-zigbuild links as for AWS; the bounds are for this machine's linker.
# Needs Linux; counting needs valgrind and strace.
bench: ## Measure each function (start, processor time, memory, size, instructions); fail above its bounds
	@sam=$$($(CLOUD) tools sam) && export PATH="$$sam:$$PATH" && for package in $(MEASURED) hello-floor sdk-floor; do \
		echo "Building $$package"; cargo lambda build --locked --release --compiler $(call typed,COMPILER) --lambda-dir target/bench --package $$package --bin $$package || exit; done
	cargo run --locked --release -p lambda-bench -- $(call shell_words,ARGS)

# Release builds. cargo-lambda chooses the target by the template's Architecture.
build: ## Build the functions for AWS, for arm64; ARCHITECTURE=x86_64 for x86
	@$(AWS) build$(call option,--architecture,ARCHITECTURE)

deploy: ## Build and deploy to AWS; CONFIG_ENV=prod, PARAMETERS="Name=value …"; the first time, SAM asks for every setting
	@$(AWS) deploy$(TARGET)$(PARAMETER_OPTIONS) $(call shell_words,ARGS)

smoke: ## Run the end-to-end tests that work on any stack on AWS, and clean up; STACK=name, ARGS="--yes sync_lane"
	@$(AWS) smoke$(TARGET) $(call shell_words,ARGS)

destroy: ## Delete the stack from AWS, and list what outlives it; CONFIG_ENV=prod, ARGS=--delete-data deletes all tables and users too
	@$(AWS) destroy$(TARGET) $(call shell_words,ARGS)
