# Every target installs what it needs (tools/setup.sh; RVF_NO_SETUP=1 leaves the machine alone) and builds
# below build/. JOBS=n sets how many compilers run at once, WERROR=ON makes warnings errors.
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
WERROR ?= OFF
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
RELEASE := build/release
LAUNCHER := $(shell command -v ccache 2>/dev/null)
CONFIGURE := cmake $(if $(LAUNCHER),-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
# Says what a step did not say if it failed; a configure that went well is of no interest.
QUIET = >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }

.DEFAULT_GOAL := release
.PHONY: release demo test asan tsan lint layers format fuzz bench bench-large bench-metadata bench-filter \
  reliability test-npm test-importers test-kernels-cross package install clean help

## release      build the command (build/release/bin/rvf) and the libraries; the default
release:
	@tools/setup.sh build
	@mkdir -p build
	@# A folder that also builds the tests stays so: what they share is compiled once.
	@$(CONFIGURE) --preset release -DRVF_WERROR=$(WERROR) \
	  $(if $(wildcard $(RELEASE)/CMakeCache.txt),,-DRVF_DEVELOPER_MODE=OFF) $(QUIET)
	@cmake --build $(RELEASE) --parallel $(JOBS)

## demo         build, then show the store at work on real data
demo: release
	@if [ -x tools/demo.sh ]; then tools/demo.sh; else echo "demo: tools/demo.sh is missing" >&2; exit 1; fi

## test         build with the tests and run them all; ends with a line such as "412 passed, 0 failed, 3 skipped"
test: test-build
	@tools/run_tests.py $(RELEASE) --jobs $(JOBS) --exclude-label long

.PHONY: test-build
test-build:
	@tools/setup.sh test
	@mkdir -p build
	@$(CONFIGURE) --preset release -DRVF_DEVELOPER_MODE=ON -DRVF_TEST_TIMEOUT=900 \
	  -DRVF_WERROR=$(WERROR) $(QUIET)
	@cmake --build $(RELEASE) --parallel $(JOBS)

## test-npm     files from and for the published packages, with those packages; needs node and npm, and the network
test-npm: release
	@tests/interop/run_npm.sh $(RELEASE)/bin/rvf || { rc=$$?; [ $$rc -eq 77 ] || exit $$rc; }

## test-importers  rvf_import.py and rvf_export.py with the library of every format, in build/importers; needs the network
test-importers: release
	@RVF=$(RELEASE)/bin/rvf tests/importers/run.sh

## test-kernels-cross  the kernels for AArch64 and WebAssembly, in qemu and node; says what it skips for lack of a tool
test-kernels-cross:
	@tools/cross_kernels.sh

## asan         the tests under AddressSanitizer and UndefinedBehaviorSanitizer
ASAN_SKIP ?= install|long
asan:
	@tools/setup.sh test
	@mkdir -p build
	@$(CONFIGURE) --preset asan $(QUIET)
	@cmake --build build/asan --parallel $(JOBS)
	@tools/run_tests.py build/asan --jobs $(JOBS) --exclude-label '$(ASAN_SKIP)'

## tsan         the tests that use threads under ThreadSanitizer
TSAN_TESTS ?= exec_test runtime_test concurrency_test concurrency_index_test concurrency_process_test
tsan:
	@tools/setup.sh test
	@mkdir -p build
	@$(CONFIGURE) --preset tsan $(QUIET)
	@cmake --build build/tsan --parallel $(JOBS) --target $(TSAN_TESTS)
	@tools/run_tests.py build/tsan --jobs 1 --include "^($$(echo $(TSAN_TESTS) | tr ' ' '|'))$$"

## lint         clang-format, clang-tidy and the order of the layers; LINT_DIRS limits clang-tidy
LINT_DIRS ?= src apps
lint: layers
	@tools/setup.sh lint
	@mkdir -p build
	@$(CONFIGURE) --preset release -DRVF_DEVELOPER_MODE=ON -DRVF_WERROR=$(WERROR) $(QUIET)
	@tools/lint.sh $(RELEASE) $(JOBS) $(LINT_DIRS)

## layers       only the order of the layers: no include climbs
layers:
	@python3 tools/check_layers.py

## format       let clang-format rewrite what deviates
format:
	@tools/setup.sh lint
	@find src include apps tests bench examples fuzz -name '*.[ch]pp' -o -name '*.h' | xargs clang-format-19 -i

## fuzz         run every fuzzer for a million executions or FUZZ_SECONDS (60), and keep what it learns in build/fuzz/corpus
fuzz:
	@tools/setup.sh fuzz
	@mkdir -p build
	@$(CONFIGURE) --preset fuzz -DRVF_DEVELOPER_MODE=OFF -DRVF_BUILD_APPS=OFF $(QUIET)
	@cmake --build build/fuzz --parallel $(JOBS) --target fuzzers
	@fuzz/run.sh build/fuzz/fuzz $(FUZZ_SECONDS) $(JOBS)

## fuzz-long    every fuzzer for 4,200,000 executions or 40 minutes: at least a million each, four hours on two cores
.PHONY: fuzz-long
fuzz-long:
	@RVF_FUZZ_RUNS=4200000 $(MAKE) fuzz FUZZ_SECONDS=2400

## fuzz-coverage  lines of src/wire and src/manifest that the inputs kept by `make fuzz` reach
.PHONY: fuzz-coverage
fuzz-coverage:
	@tools/setup.sh fuzz
	@mkdir -p build
	@$(CONFIGURE) --preset fuzz -B build/coverage -DRVF_SANITIZE= -DRVF_BUILD_FUZZERS=OFF -DRVF_DEVELOPER_MODE=ON \
	  -DRVF_BUILD_APPS=OFF -DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 \
	  -DCMAKE_CXX_FLAGS='-fprofile-instr-generate -fcoverage-mapping' $(QUIET)
	@cmake --build build/coverage --parallel $(JOBS) --target fuzz_replay fuzz_seeds
	@fuzz/coverage.sh build/coverage build/fuzz/corpus

# Peers come from their own packages into build/peers; sets of BENCH_DATA that are not there are skipped.
BENCH_DATA ?= ../shared/data/ann
PEERS := build/peers
PEER_RUN = $(PEERS)/venv/bin/python bench/peers
.PHONY: bench-short bench-programs bench-peers bench-report

## bench        minutes: speed at equal recall beside rabitqlib, hnswlib, usearch and faiss, on real sets; needs the network once
bench: test-build
	@bench/peers/setup.sh $(PEERS) rabitqlib hnswlib usearch faiss-cpu
	@$(PEER_RUN)/compare.py --sets few --contenders few --data $(BENCH_DATA)

## bench-peers  hours: every peer, every set, k = 1, 10, 100, and from a file to the first result
bench-peers: test-build
	@bench/peers/setup.sh $(PEERS)
	@$(PEER_RUN)/compare.py --sets all --contenders all --k 1,10,100 --build-threads 1,2 --rebuild --data $(BENCH_DATA)
	@$(PEER_RUN)/cold.py

## bench-large  hours: stores of BENCH_ROWS (1000000,10000000) rows of 384 dimensions, and one above 5 GB
BENCH_ROWS ?= 1000000,10000000
bench-large: test-build
	@bench/peers/setup.sh $(PEERS) numpy
	@$(PEER_RUN)/large.py --rows $(BENCH_ROWS) --threads $(JOBS)
	@$(RELEASE)/bin/large_store_bench $(PEERS)

## bench-report docs/benchmarks.md from what bench, bench-peers and bench-large measured
bench-report:
	@$(PEER_RUN)/report.py

## bench-short  seconds: ratios of the store to itself on generated data; fails where recall is too low
bench-short: test-build
	@$(RELEASE)/bin/regression

## bench-programs  the benchmarks of single parts; each prints the machine and JSON
bench-programs: test-build
	@for program in $(RELEASE)/bin/*_bench; do \
	  case $$program in */filter_bench|*/large_store_bench) continue ;; esac; \
	  echo "== $$program"; "$$program" || exit 1; done

## bench-metadata  size and filter time beside Parquet, SQLite and DuckDB; METADATA_ROWS (1000000), PYTHON (python3)
METADATA_ROWS ?= 1000000
PYTHON ?= python3
bench-metadata: release
	@$(PYTHON) bench/metadata_bench.py --rvf $(RELEASE)/bin/rvf --rows $(METADATA_ROWS)

## bench-filter  filtered search at 50 % to 0.01 % on files of yours: VECTORS=base.npy QUERIES=queries.npy
bench-filter: $(if $(and $(VECTORS),$(QUERIES)),test-build)
	@[ -n '$(VECTORS)' ] && [ -n '$(QUERIES)' ] || { echo "bench-filter: give VECTORS= and QUERIES=" >&2; exit 1; }
	@$(RELEASE)/bin/filter_bench '$(VECTORS)' '$(QUERIES)'

## misuse       MISUSE_COMMANDS (100000) random command lines, held against a model of the store; MISUSE_SEED is the first seed (1)
MISUSE_COMMANDS ?= 100000
MISUSE_SEED ?= 1
.PHONY: misuse
misuse: release
	@RVF_MISUSE_COMMANDS=$(MISUSE_COMMANDS) RVF_MISUSE_SEED=$(MISUSE_SEED) tests/misuse/random_test.py $(RELEASE)/bin/rvf

## reliability  the long forms of all reliability tests, and a table of what they found; hours
RELIABILITY = tools/reliability.py $(RELEASE) --jobs $(JOBS) --fuzz build/fuzz/reliability.log
.PHONY: reliability-short reliability-table
reliability: test-build
	@$(CONFIGURE) -DRVF_TEST_TIMEOUT=90000 $(RELEASE) $(QUIET)
	@$(RELIABILITY) --form long

## reliability-short  the same in the form that CI runs; minutes
reliability-short: test-build
	@$(RELIABILITY) --form short

## reliability-table  the table of what the last `make test` and `make fuzz` found; runs nothing
reliability-table:
	@$(RELIABILITY) --collect

## package      a Debian package in build/release/package
package: release
	@tools/setup.sh package
	@cd $(RELEASE) && cpack -G DEB >/dev/null && ls package/*.deb

## install      into PREFIX (/usr/local), below DESTDIR if that is set
install: release
	@DESTDIR='$(DESTDIR)' cmake --install $(RELEASE) --prefix '$(PREFIX)'

## clean        remove everything that was built
clean:
	rm -rf build/release build/dev build/asan build/tsan build/fuzz build/wasm build/importers build/cross build/configure.log

## help         this list
help:
	@sed -n 's/^## /  make /p' Makefile
