# Shared by demo.sh and test.sh: packages, configuration, build. Sourced, not
# run; expects the current folder to be the repository's root.

# Installs the Debian packages that are missing of those that the given files
# list; deploy/packages.txt if none is given.
install_packages() {
  local missing=() package as_root=() lists=("$@")
  if [ ${#lists[@]} -eq 0 ]; then
    lists=(deploy/packages.txt)
  fi
  while read -r package; do
    case "$package" in '' | '#'*) continue ;; esac
    if ! dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
        grep -q 'ok installed'; then
      missing+=("$package")
    fi
  done < <(cat "${lists[@]}")
  if [ ${#missing[@]} -eq 0 ]; then
    return
  fi
  if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo)
  fi
  echo "Installing: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Configures preset $1 unless it is configured, and builds the targets that
# follow (all of them if none does). Prints the last line of the build, or what
# went wrong.
build_preset() {
  local preset=$1 log status=0
  shift
  log=$(mktemp)
  if [ ! -f "build/$preset/build.ninja" ]; then
    cmake --preset "$preset" > "$log" 2>&1 || status=$?
  fi
  if [ "$status" -eq 0 ]; then
    if [ $# -eq 0 ]; then
      cmake --build --preset "$preset" > "$log" 2>&1 || status=$?
    else
      cmake --build --preset "$preset" --target "$@" > "$log" 2>&1 || status=$?
    fi
  fi
  if [ "$status" -eq 0 ]; then
    tail -n 1 "$log"
  else
    tail -n 60 "$log"
  fi
  rm -f "$log"
  return "$status"
}
