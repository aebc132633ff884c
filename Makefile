# A thin front of CMake: `make run` shows a server at work, `make test` proves it.
RUN_PACKAGES = g++ cmake libboost-dev libboost-program-options-dev libspdlog-dev libseccomp-dev libdw-dev nlohmann-json3-dev
TEST_PACKAGES = $(RUN_PACKAGES) doctest-dev mandoc pkg-config strace libevent-dev python3-minimal haproxy tmux netbase
MODEL_PACKAGES = gcc spin
SYSTEMD_PACKAGES = $(RUN_PACKAGES) systemd
DAEMON_PACKAGES = $(RUN_PACKAGES) python3 git rsync openssh-server openssh-client stunnel4 openssl gunicorn unicorn php8.2-fpm nginx-light haproxy
PICTURE_PACKAGES = $(RUN_PACKAGES) chromium tmux aha
PROMETHEUS_PACKAGES = $(RUN_PACKAGES) prometheus
LINT_PACKAGES = $(TEST_PACKAGES) clang-format-14 clang-tidy-19
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
# One room's tests: make test ROOM=pool
ROOM ?=
RELEASE = build/release
# Most tests wait for processes; under a sanitizer they compute more.
CTEST = ctest -j $(shell expr $(TESTS_PER_PROCESSOR) '*' $(JOBS)) --output-on-failure --progress --no-tests=error
SUITE = $(if $(ROOM),-L '^$(ROOM)$$',-LE '^slow$$')
TESTS_PER_PROCESSOR = 8
asan tsan: TESTS_PER_PROCESSOR = 2
TESTS = tests$(if $(ROOM),_$(ROOM))
MAKEFLAGS += --no-print-directory

.PHONY: all configure run test test-all slow slow-tests asan tsan io-uring systemd daemons prometheus page models pictures bench install format lint clean

all: install-test-packages configure
	@cmake --build --preset release -j $(JOBS)

configure:
	@echo "configuring in $(RELEASE)"
	@cmake --preset release >/dev/null

run: install-run-packages configure
	@echo "building the example server"
	@cmake --build --preset release -j $(JOBS) --target echo broodctl brood-load
	@sh example/run.sh $(RELEASE)

test: install-test-packages configure
	@echo "building the tests"
	@cmake --build --preset release -j $(JOBS) --target $(TESTS)
	@echo "running the tests"
	@$(CTEST) --test-dir $(RELEASE) $(SUITE)

# The suite, then everything that takes longer.
test-all: test slow

slow: slow-tests asan tsan io-uring systemd daemons prometheus page models lint

# The cases that compute for more than 2 s each.
slow-tests: install-test-packages configure
	@cmake --build --preset release -j $(JOBS) --target tests headers_alone
	@$(CTEST) --test-dir $(RELEASE) -L '^slow$$'

# exitcode 99 keeps a sanitizer's report apart from a program's own exit codes.
asan: install-test-packages
	@echo "building the tests with the address and undefined behaviour sanitizers"
	@cmake --preset asan >/dev/null
	@cmake --build --preset asan -j $(JOBS) --target $(TESTS)
	@ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		$(CTEST) --test-dir build/asan $(SUITE)

# Between processes it sees nothing; over the protocol of the scoreboard, run by threads, it does.
tsan: install-test-packages
	@echo "building the tests with the thread sanitizer"
	@cmake --preset tsan >/dev/null
	@cmake --build --preset tsan -j $(JOBS) --target tests_thread_sanitizer
	@$(CTEST) --test-dir build/tsan -L '^thread-sanitizer$$'

# AsyncServer on io_uring, with a Boost that is new enough: skipped if either cannot be had.
io-uring: install-test-packages
	@sh test/io_uring.sh $(JOBS)

# The units of etc/systemd, and a server under a real systemd: skipped if there can be none.
systemd: install-systemd-packages configure
	@cmake --build --preset release -j $(JOBS) --target echo
	@sh test/systemd.sh $(RELEASE)

# Daemons of Debian as services of brood, and a reload while each has a request: those that are installed.
daemons: install-daemon-packages configure
	@cmake --build --preset release -j $(JOBS) --target brood-parent broodctl
	@sh test/daemons.sh $(RELEASE)

# The metrics of a server, and etc/prometheus, under a real prometheus, for a minute.
prometheus: install-prometheus-packages configure
	@cmake --build --preset release -j $(JOBS) --target echo brood-load
	@sh test/prometheus.sh $(RELEASE)

# The page of status-listen in Chromium: skipped if that is not installed.
page: install-test-packages configure
	@cmake --build --preset release -j $(JOBS) --target echo brood-counting-test-server brood-two-test-servers broodctl brood-load
	@sh test/page.sh $(RELEASE)

# What processes do at once, in Promela: every order of their steps.
models: install-model-packages
	@sh test/model/check.sh

# The pictures of the README, of a server under a load.
pictures: install-picture-packages configure
	@cmake --build --preset release -j $(JOBS) --target greeter broodctl brood-load
	@sh test/pictures.sh $(RELEASE) man/pictures

bench: install-test-packages configure
	@cmake --build --preset release -j $(JOBS) --target bench-programs
	$(RELEASE)/brood-bench

install: install-run-packages configure
	@cmake --build --preset release -j $(JOBS) --target installed-programs
	cmake --install $(RELEASE) --prefix $(PREFIX)

format:
	git ls-files '*.cpp' '*.hpp' | xargs clang-format-14 -i

lint: install-lint-packages
	@sh test/lint.sh $(JOBS)

clean:
	rm -rf build

# As root, missing packages are installed; other users are shown the one line to run. On other systems than Debian,
# CMake reports what is missing.
install-%-packages:
	@sh cmake/packages.sh $($(shell echo $* | tr a-z A-Z)_PACKAGES)
