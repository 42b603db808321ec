#!/usr/bin/env bash
# Installs the release build into a fresh folder and builds and runs a user's
# programs against it, found by CMake and by pkg-config. They start a private
# daemon; where mount namespaces can be had, its home is a fresh one too.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "${1:-}" != alone ]; then
  namespace=(unshare --mount)
  [ "$(id -u)" -eq 0 ] || namespace+=(--map-root-user)
  if "${namespace[@]}" true 2>/dev/null; then
    exec "${namespace[@]}" "tests/install/$(basename "$0")" alone
  fi
  echo "No mount namespaces here: this uses your own private daemon."
fi
prefix=$(mktemp -d)
if [ "${1:-}" = alone ]; then
  mkdir -p "$prefix/home" "$prefix/run/user/0"
  chmod 700 "$prefix/home" "$prefix/run/user/0"
  echo "root:x:0:0::$prefix/home:/bin/sh" > "$prefix/passwd"
  mount --bind "$prefix/passwd" /etc/passwd
  mount --bind "$prefix/run" /run
fi
kernel=$PWD/tests/kernels/3.6.0/add_f32.ttir
trap '"$prefix/bin/quern" stop >/dev/null 2>&1 || true
  rm -rf "$prefix" || true' EXIT

build/release/bin/quern stop >/dev/null 2>&1 || true
cmake --install build/release --prefix "$prefix" >/dev/null
"$prefix/bin/quern" --version
cmake -S tests/install -B "$prefix/user" -G Ninja \
  -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$prefix/user" >/dev/null
"$prefix/user/use_c" "$kernel"
"$prefix/user/use_cpp" "$kernel"

libdir=$(dirname "$(find "$prefix" -name quern.pc)")
flags=$(PKG_CONFIG_PATH=$libdir pkg-config --define-prefix --cflags --libs quern)
# shellcheck disable=SC2086  # The flags are words.
clang-19 tests/install/use_c.c $flags -Wl,-rpath,"$libdir/.." \
  -o "$prefix/use_pc"
"$prefix/use_pc" "$kernel"
