# A thin front of CMake: `make run` shows a server at work, `make test` proves it.
PACKAGES = g++ cmake libboost-dev libboost-program-options-dev libspdlog-dev nlohmann-json3-dev doctest-dev \
	mandoc pkg-config strace libevent-dev python3-minimal
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
RELEASE = build/release
# Most tests wait for processes.
CTEST = ctest -j $(shell expr 2 '*' $(JOBS)) --output-on-failure
MAKEFLAGS += --no-print-directory

.PHONY: all configure run test check asan tsan io-uring bench install format tidy clean packages

all: configure
	@cmake --build --preset release -j $(JOBS)

configure: packages
	@cmake --preset release >/dev/null

run: configure
	@cmake --build --preset release -j $(JOBS) --target echo greeter brood-parent broodctl brood-load
	@sh example/run.sh $(RELEASE)

# The suite as it is, then once more under the sanitizers, then what io_uring changes.
test: check asan tsan io-uring

check: all
	$(CTEST) --test-dir $(RELEASE)

# exitcode 99 keeps a sanitizer's report apart from a program's own exit codes.
asan: packages
	@cmake --preset asan >/dev/null
	@cmake --build --preset asan -j $(JOBS)
	ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		$(CTEST) --test-dir build/asan -LE no-sanitizer

# Between processes it sees nothing; over the protocol of the scoreboard, run by threads, it does. It doesn't know
# pthread_mutex_clocklock(), and so takes each unlock after one for a mistake.
tsan: packages
	@cmake --preset tsan >/dev/null
	@cmake --build --preset tsan -j $(JOBS) --target test_scoreboard test_room test_reactor
	TSAN_OPTIONS=report_mutex_bugs=0 $(CTEST) --test-dir build/tsan -L thread-sanitizer

# AsyncServer on io_uring, with a Boost that is new enough: skipped where either can't be had.
io-uring: packages
	@sh test/io_uring.sh $(JOBS)

bench: configure
	@cmake --build --preset release -j $(JOBS) --target bench-programs
	$(RELEASE)/brood-bench

install: all
	cmake --install $(RELEASE) --prefix $(PREFIX)

format:
	git ls-files '*.cpp' '*.hpp' | xargs clang-format-14 -i

tidy: all
	git ls-files 'src/*.cpp' | xargs -P $(JOBS) -n 4 clang-tidy-14 -p $(RELEASE) --quiet

clean:
	rm -rf build

# As root what is missing is installed; others are told the one line to run. Elsewhere than on Debian, CMake tells.
packages:
	@command -v dpkg-query >/dev/null || exit 0; \
	missing=; \
	for package in $(PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; \
	done; \
	test -z "$$missing" && exit 0; \
	if test "$$(id -u)" = 0; then \
		echo "installing$$missing"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing >/dev/null; \
	else \
		echo "missing packages; run:  sudo apt-get install --no-install-recommends$$missing" >&2; exit 1; \
	fi
