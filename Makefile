# Thin on purpose: the logic is in infra/local (Python, standard library only) and in Rust.

# Python 3.10 to 3.14, by its name where `python3` is another one: make up PYTHON=python3.12
PYTHON := python3
CLOUD := $(PYTHON) infra/local
AWS := $(PYTHON) infra/aws

# A word for the shell with a text as it is, whatever the shell would make of it.
quoted = '$(subst ','\'',$(1))'
define line_break


endef
# A variable as it was typed, for the shell to divide: make would expand a $ in it, and end the command at a line break.
shell_words = $(if $(findstring $(line_break),$(value $(1))),$(error $(1) has a line break, which make cannot pass on))$(value $(1))
# The same as one word.
typed = $(call quoted,$(call shell_words,$(1)))
# An option with a variable's value, if it has one.
option = $(if $(value $(2)), $(1) $(call typed,$(2)))

# Which of samconfig.toml's environments: dev or prod.
CONFIG_ENV ?= dev
# What deploy, smoke and destroy work on, as far as it is given: STACK=name REGION=eu-central-1 PROFILE=name ENDPOINT_URL=…
TARGET = $(call option,--config-env,CONFIG_ENV)$(call option,--stack-name,STACK)$(call option,--region,REGION)
TARGET += $(call option,--profile,PROFILE)$(call option,--endpoint-url,ENDPOINT_URL)
# Divided at spaces: `python3 infra/aws deploy --parameter 'NAME=a value'` takes any value.
PARAMETER_OPTIONS = $(foreach parameter,$(call shell_words,PARAMETERS), --parameter $(call quoted,$(parameter)))

# cargo-lambda names the target even for this machine; naming it everywhere lets all builds share their artefacts.
export CARGO_BUILD_TARGET ?= $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')

# The functions of the benchmark.
MEASURED := $(notdir $(patsubst %/,%,$(wildcard functions/*/)))
COMPILER := cargo

.PHONY: help demo up down restart env test test-localstack test-differential soak gate check bench build deploy smoke destroy

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

demo: ## Everything at once: install, build, start, deploy, and fill stock and accounts, and send sample orders down all lanes
	@$(CLOUD) demo$(call option,--port,PORT)

up: ## Build, start the local cloud and deploy to it; PORT=4577 for another port, EMULATOR=localstack-core for another emulator
	@$(CLOUD) up$(call option,--port,PORT)$(call option,--emulator,EMULATOR)

down: ## End what `make up` started
	@$(CLOUD) down

restart: ## End the local cloud and start it again with all its data, as a reboot would
	@$(CLOUD) restart

env: ## Print shell exports for the local cloud: eval "$(make -s env)"
	@$(CLOUD) env

check: ## Formatting, lints, documentation, template policies, dependencies and plain English, warnings denied
	@$(CLOUD) check

test: ## check, and every test, the end-to-end ones on separate local clouds; prints the seconds of each step at the end
	@$(CLOUD) tests

# No Docker and no token: LocalStack's open-source core. Needs Python 3.13 somewhere on this machine.
test-localstack: ## The end-to-end tests on a second emulator, LocalStack's open-source core, and what they cannot test there
	@$(CLOUD) test-localstack

# What differs must be declared in tests/differential/known.rs, and is listed in docs/emulators.md.
test-differential: ## One table of requests to both emulators, compared field by field: what is not known to differ fails
	@$(CLOUD) differential

# Bounded: every wait in it has a deadline.
soak: ## The fault suite in full, on a local cloud of its own: 2 000 orders in a storm, an outage of a minute, restarts
	@$(CLOUD) exec --dir .local/soak --port 0 -- env TWOLANE_SOAK=1 sh -c '\
		cargo build --locked --workspace --all-features --all-targets && \
		cargo test --locked --workspace --all-features --test faults'

# With the functions and the command line that `make test` built: a build of other targets would compile the SDK again, with other
# features. Only counts are required: the machine may be too busy for times (--max-lag), or for the default rate.
gate: ## Compare the lanes on a separate local cloud, as it was built before; fail if one loses an order; SUMMARY=file.md JUNIT=file.xml
	@cargo build --locked --workspace --all-features --all-targets
	@$(CLOUD) exec --built --dir .local/gate --port 0 -- \
		"$${CARGO_TARGET_DIR:-target}/$(CARGO_BUILD_TARGET)/debug/twolane" compare --yes --rate 2 --max-lag 600000 --output .local/gate-report \
		--require '*.lost==0' --require '*.failed==0' --require '*.deadLetters==0'$(call option,--summary,SUMMARY)$(call option,--junit,JUNIT)

# Builds for minutes first: each function by itself and by cargo-lambda, as SAM does. Built together, each would have the
# features that any of them needs of a dependency. COMPILER=cargo-zigbuild links as for AWS; the bounds are for this machine's
# linker. Needs Linux; counting needs valgrind and strace.
bench: ## Measure what each function costs (start, processor time, memory, size, instructions); fail above its bounds
	@sam=$$($(CLOUD) tools sam) && export PATH="$$sam:$$PATH" && for package in $(MEASURED) hello-floor sdk-floor; do \
		echo "Building $$package"; cargo lambda build --locked --release --compiler $(call typed,COMPILER) --lambda-dir target/bench --package $$package --bin $$package || exit; done
	cargo run --locked --release -p lambda-bench -- $(call shell_words,ARGS)

# AWS needs release builds for its own processors: cargo-lambda chooses the target by the template's Architecture.
build: ## Build the functions for AWS, on arm64; ARCHITECTURE=x86_64 for the other one
	@$(AWS) build$(call option,--architecture,ARCHITECTURE)

deploy: ## Build and deploy to AWS; CONFIG_ENV=prod, PARAMETERS="Name=value …"; the first time, SAM asks for every setting
	@$(AWS) deploy$(TARGET)$(PARAMETER_OPTIONS) $(call shell_words,ARGS)

smoke: ## Run the end-to-end tests that fit any stack on AWS, and leave nothing; STACK=name, ARGS="--yes sync_lane"
	@$(AWS) smoke$(TARGET) $(call shell_words,ARGS)

destroy: ## Delete the stack from AWS, and say what outlives it; CONFIG_ENV=prod, ARGS=--delete-data for all tables and the users too
	@$(AWS) destroy$(TARGET) $(call shell_words,ARGS)
