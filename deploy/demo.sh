#!/usr/bin/env bash
# Builds Quern and runs its demo. On a bare Debian 12 it first installs what
# the build needs.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/prepare.sh

install_packages
build_preset release quern quernd quern-executor quern-compile-worker
build/release/bin/quern demo "$@"
