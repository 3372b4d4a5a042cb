# The project's front door; `make` alone lists what it does. Each target prints its steps, and everything can be
# repeated: what is there already is not fetched or built again.

JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 600
MODEL ?= smollm2

LTRI := build/release/ltri
CTEST_FLAGS := --output-on-failure --no-tests=error -j $(JOBS)

say = @printf '\n\033[1m==> %s\033[0m\n' "$(1)"

.DEFAULT_GOAL := help
.PHONY: help
help:  ## list the targets (this)
	@echo "ltri: answers from texts longer than the model's window"
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24
	@echo
	@echo "Variables: JOBS=$(JOBS)  PREFIX=$(PREFIX)  MODEL=$(MODEL)  FUZZ_SECONDS=$(FUZZ_SECONDS)"

.PHONY: packages
packages:  ## install the Debian or Ubuntu packages that are missing
	@scripts/install_packages.sh build

.PHONY: build
build: packages  ## build the program into build/release (the first time also llama.cpp: some minutes)
	$(call say,Building build/release)
	@cmake --preset release
	@cmake --build --preset release -j $(JOBS)

.PHONY: model
model: build  ## fetch the default model
	$(call say,Fetching the model $(MODEL))
	@$(LTRI) pull $(MODEL)

.PHONY: demo
demo: model  ## hide a sentence in a long text and ask for it, by three methods
	$(call say,Running the demo)
	@$(LTRI) demo

.PHONY: test-quick
test-quick: build  ## the tests that need no model
	$(call say,Quick tests)
	@ctest --test-dir build/release -L quick $(CTEST_FLAGS)

.PHONY: test
test: test-quick test-model  ## all tests: the quick ones, then those with the default model

.PHONY: test-model
test-model: model  ## the tests that need the default model
	$(call say,Tests with the model $(MODEL))
	@ctest --test-dir build/release -L model $(CTEST_FLAGS) -j 1

.PHONY: test-gemma
test-gemma: build  ## the tests with Gemma 3 270M as well (fetches 250 MB; Gemma terms)
	$(call say,Tests with the model gemma3-270m)
	@$(LTRI) pull gemma3-270m
	@ctest --test-dir build/release -L model -R "[Gg]emma" $(CTEST_FLAGS) -j 1

.PHONY: test-asan
test-asan: packages  ## the quick tests under AddressSanitizer and UndefinedBehaviorSanitizer
	$(call say,Quick tests under AddressSanitizer and UndefinedBehaviorSanitizer)
	@cmake --preset asan
	@cmake --build --preset asan -j $(JOBS) --target ltri_tests
	@ctest --test-dir build/asan -L quick $(CTEST_FLAGS)

# The tests over all vocabularies use one thread and take most of the time.
.PHONY: test-tsan
test-tsan: packages  ## the quick tests under ThreadSanitizer
	$(call say,Quick tests under ThreadSanitizer)
	@cmake --preset tsan
	@cmake --build --preset tsan -j $(JOBS) --target ltri_tests
	@ctest --test-dir build/tsan -L quick -E '^(Vocabularies/|house$$)' $(CTEST_FLAGS)

KILLS ?= 200
.PHONY: test-kill
test-kill: build  ## kill the indexing of documents KILLS times at random moments; nothing may be lost
	$(call say,Killing ltri index $(KILLS) times)
	@cmake --build --preset release -j $(JOBS) --target ltri_kill_test
	@build/release/tests/ltri_kill_test $(KILLS)

# What cannot be installed is said, and its tests are skipped.
CLIENT := build/openai-client
HOSTILE_REQUESTS ?= 10000
.PHONY: test-serve
test-serve: model  ## the server: the openai client, the page in Chromium, load, long prompts, hostile requests
	@scripts/install_packages.sh serve || echo "skipped: Chromium cannot be installed"
	$(call say,$(HOSTILE_REQUESTS) requests that nobody means well with)
	@LTRI_HOSTILE_REQUESTS=$(HOSTILE_REQUESTS) build/release/tests/ltri_tests --gtest_brief=1 --gtest_filter='HostileTest.*:OpenApiTest.*'
	$(call say,The openai client for Python)
	@[ -x $(CLIENT)/bin/python ] || python3 -m venv $(CLIENT)
	@if $(CLIENT)/bin/python -m pip install --quiet --disable-pip-version-check openai; then \
	  LTRI=$(LTRI) MODEL=$(MODEL) $(CLIENT)/bin/python -B tests/server/openai_test.py; \
	else echo "skipped: the package openai cannot be installed"; fi
	$(call say,The page in Chromium)
	@LTRI=$(LTRI) MODEL=$(MODEL) python3 -B tests/server/page_test.py
	$(call say,A long prompt beside other users)
	@LTRI=$(LTRI) MODEL=$(MODEL) python3 -B tests/server/long_prompt_test.py
	$(call say,Many streams at once)
	@LTRI=$(LTRI) MODEL=$(MODEL) python3 -B tests/server/load_test.py

.PHONY: test-install
test-install: build  ## install into a scratch folder and build the example against it
	$(call say,The installed library and its example)
	@scripts/test_install.sh

.PHONY: fuzz
fuzz:  ## each fuzz target for FUZZ_SECONDS
	@scripts/install_packages.sh build fuzz
	$(call say,Fuzzing each target for $(FUZZ_SECONDS) s)
	@cmake --preset fuzz
	@cmake --build --preset fuzz -j $(JOBS) --target fuzz_targets
	@scripts/fuzz.sh $(FUZZ_SECONDS)

.PHONY: check
check: build  ## format, house rules and clang-tidy
	@scripts/install_packages.sh check
	@scripts/check.sh format house tidy

.PHONY: check-instructions
check-instructions:  ## instructions of single operations against the baseline
	@scripts/install_packages.sh build instructions
	$(call say,Counting instructions)
	@cmake --preset release
	@cmake --build --preset release -j $(JOBS) --target ltri_instructions
	@scripts/check_instructions.py

.PHONY: format
format:  ## put the sources into the project's format
	@scripts/install_packages.sh check
	@scripts/check.sh --fix format

.PHONY: bench
bench: build  ## the benchmarks of single operations
	$(call say,Benchmarks)
	@build/release/bench/ltri_micro_bench

.PHONY: install
install: build  ## install program, library and headers under PREFIX
	$(call say,Installing under $(PREFIX))
	@cmake --install build/release --prefix "$(PREFIX)"

.PHONY: clean
clean:  ## remove build/ (the cache of llama.cpp and models stays)
	rm -rf build
