# Shared by the scripts of this folder. Sourced, not run; expects the current
# folder to be the repository's root.

# Fails with a list of those of the named programs that are not installed.
require_programs() {
  local missing=() program
  for program in "$@"; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    echo "Missing: ${missing[*]}. deploy/arm64/packages.txt names the Debian" \
      "packages; deploy/arm64/boot-test.sh installs them." >&2
    return 1
  fi
}

# This machine's list of Debian mirrors.
debian_sources() {
  if [ -f /etc/apt/sources.list.d/debian.sources ]; then
    echo /etc/apt/sources.list.d/debian.sources
  else
    echo /etc/apt/sources.list
  fi
}

# Unpacks the arm64 packages that the file $1 lists, one a line, and those that
# they need. The other arguments are mmdebstrap's; the last is the folder.
debian_packages() {
  local list=$1
  shift
  local folder=${*: -1}
  local include
  include=$(grep -v '^#' "$list" | paste -sd, -)
  nice mmdebstrap --architectures=arm64 --skip=output/mknod \
    --include="$include" \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --aptopt='Acquire::Languages "none"' \
    --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' \
    "${@:1:$#-1}" bookworm "$folder" - < "$(debian_sources)"
}
