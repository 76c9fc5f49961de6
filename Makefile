# Every target sets up what it needs by itself; nothing is done twice.
.PHONY: setup build demo test bench fmt

# What building and the demo need: compiler libraries, PostgreSQL, MongoDB.
setup:
	@scripts/setup

build: setup
	cargo build --workspace

# A slow join and a slow pipeline, each explained, mended and proved on a real server.
demo: build
	@scripts/demo

# Formatting, lints, unit tests and the scenarios on real servers of every version.
test:
	@scripts/setup --all
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo test --workspace --no-fail-fast

# The benchmark table, with the peers measured in the same run.
bench:
	@scripts/setup --bench
	cargo build --release --workspace --bins --examples
	@scripts/bench

fmt:
	cargo fmt --all
