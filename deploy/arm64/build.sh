#!/usr/bin/env bash
# Cross-builds Quern for Debian 12 on arm64: makes the sysroot if it is missing,
# builds preset arm64, and installs what `cmake --install` does, for the prefix
# /usr, into build/arm64-install. Installs the Debian packages it needs.
#
# Exit status: 1 if Quern does not build; 2 if this machine cannot have what the
# build needs.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/prepare.sh

install_packages deploy/packages.txt deploy/arm64/packages.txt || exit 2
deploy/arm64/sysroot.sh || exit 2
begin=$SECONDS
build_preset arm64 quernd quern quern-executor quern-compile-worker \
  quern_shared test-client
rm -rf build/arm64-install
DESTDIR=$PWD/build/arm64-install cmake --install build/arm64 --prefix /usr \
  --strip > /dev/null
echo "Built for arm64: $(du -sm build/arm64-install | cut -f1) MiB," \
  "$((SECONDS - begin)) s"
