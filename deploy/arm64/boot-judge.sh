#!/bin/bash
# Runs in the booted test system: installs Quern as an operator would, and tries
# the service. Prints a line "BOOT-TEST: pass" or "BOOT-TEST: FAIL", and one for
# each thing that it tried.
set -uo pipefail
cpu=$(sed -n 's/.*quern\.cpu=\([^ ]*\).*/\1/p' /proc/cmdline)
folder=/run/quern

say() { echo "BOOT-TEST: $*"; }

# Runs the command that follows the name $1, and says whether it succeeded.
# What fails ends the test: what comes after builds on it.
try() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    say "ok    $name"
  else
    say "FAIL  $name"
    tail -c 2000 <<< "$output"
    finish 1
  fi
}

# Ends the test with status $1.
finish() {
  journalctl -q --no-pager -o cat -u quernd.service -u quernd.socket |
    tail -n 60
  if [ "$1" -eq 0 ]; then say pass; else say FAIL; fi
  sync
  exit "$1"
}

property() { systemctl show -P "$1" quernd.service; }

main_pid() {
  local pid
  pid=$(property MainPID)
  [ "$pid" -gt 1 ] && echo "$pid"
}

# Runs a command as a user of the group quern, or as one who is not in it.
as_member() { runuser -u member -- "$@"; }
as_outsider() { runuser -u outsider -- "$@"; }

# Waits until the command succeeds, at most $1 seconds.
within() {
  local seconds=$1 end
  shift
  end=$((SECONDS + seconds))
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}

install_it() {
  cp -a /opt/tree/. / &&
    systemd-sysusers /usr/lib/sysusers.d/quern.conf &&
    printf 'u member -\nu outsider -\nm member quern\n' | systemd-sysusers - &&
    mkdir -p /etc/systemd/system/quernd.service.d &&
    # A shorter watchdog, so that the test does not take minutes, but not so
    # short that a busy host bites; and the probe runs confined as the daemon is.
    printf '[Service]\nWatchdogSec=20\nExecStartPre=/opt/mdwe-probe\n' \
      > /etc/systemd/system/quernd.service.d/test.conf &&
    systemctl daemon-reload && systemctl enable --now quernd.socket
}

sockets_are_right() {
  [ "$(stat -c '%a %U %G' $folder/rpc.sock)" = "660 root quern" ] &&
    [ "$(stat -c '%a %U %G' $folder/attach.sock)" = "660 root quern" ]
}

daemon_is_off() { [ "$(property ActiveState)" = inactive ]; }
daemon_is_on() { [ "$(property ActiveState)" = active ]; }

# Adds two arrays by a kernel; the arguments are quern run's.
values_are_right() {
  cp /opt/data/*.npy /tmp/ && chmod a+rw /tmp/*.npy &&
    as_member quern run /opt/data/add_f32.ttir --grid 3 --arg @/tmp/x.npy \
      --arg @/tmp/y.npy --arg @/tmp/z.npy:out --arg 3000 "$@" &&
    cmp /tmp/z.npy /tmp/sum.npy
}

demo_is_right() {
  local rows
  rows=$(as_member quern demo) || { echo "$rows"; return 1; }
  echo "$rows"
  [ "$(grep -c 'right$' <<< "$rows")" -eq 4 ]
}

outsider_is_refused() {
  ! as_outsider quern stats --sockets $folder > /tmp/refusal 2>&1 &&
    grep PERMISSION_DENIED /tmp/refusal
}

# The probe ran in the unit without a complaint, and would have complained.
no_code_is_writable() {
  [ "$(property MemoryDenyWriteExecute)" = yes ] &&
    systemctl show -P ExecStartPre quernd.service | grep 'status=0' &&
    ! /opt/mdwe-probe
}

nothing_is_missing() {
  local stats
  stats=$(as_member quern stats --json) && echo "$stats" &&
    grep -E '"sandbox_missing":(\[\]|"")' <<< "$stats" &&
    grep '"denied_syscall":0' <<< "$stats" &&
    grep '"crashed":0' <<< "$stats"
}

# The processor that the daemon found itself on, and the features of it that
# code is made for, as an image for it lists them.
target() {
  as_member quern stats | grep -o 'aarch64-unknown-linux-gnu[^ "]*'
  as_member quern compile /opt/data/add_f32.ttir --emit image \
    --output /tmp/image > /tmp/compiled 2>&1 || cat /tmp/compiled
  # The kernel's name follows at once.
  grep -ao '[a-z0-9,-]*neon[a-z0-9,-]*' /tmp/image | sed 's/add$//'
}

# What the daemon must find out of the processor that it runs on: qemu's `max`
# is no core that anybody sells.
target_is_right() {
  local found
  found=$(target | paste -sd ' ')
  echo "$found"
  case "$cpu" in
    max) [[ $found == *:generic\ * && $found == *dotprod* &&
      $found == *i8mm* && $found == *bf16* ]] ;;
    *) [[ $found == *":$cpu "* && $found == *dotprod* &&
      $found != *i8mm* && $found != *bf16* ]] ;;
  esac
}

new_kernel_compiles() {
  (echo "// $RANDOM $RANDOM $SECONDS"; cat /opt/data/add_f32.ttir) > /tmp/new.ttir
  as_member quern compile /tmp/new.ttir
}

# A client launches on while the daemon is restarted and killed; compiles that
# come meanwhile wait. The client yields: it would take both emulated cores.
launches_go_on() {
  local pid before client
  coproc client_io { as_member nice -n 19 /opt/test-client launch-on $folder \
    /opt/data/add_f32_block128.ttir 2>&1; }
  client=$client_io_PID
  read -r -t 300 line <&"${client_io[0]}" && [ "$line" = ready ] || return 1
  for _ in 1 2 3; do
    systemctl restart quernd.service && new_kernel_compiles || return 1
  done
  before=$(property NRestarts)
  pid=$(main_pid) || return 1
  kill -KILL "$pid"
  new_kernel_compiles || return 1
  [ "$(property NRestarts)" -gt "$before" ] || return 1
  echo end >&"${client_io[1]}"
  cat <&"${client_io[0]}" > /tmp/launches
  wait "$client" || { cat /tmp/launches; return 1; }
  cat /tmp/launches
  grep -E '^[0-9]+ launches, right$' /tmp/launches &&
    grep '^attached again$' /tmp/launches
}

# A daemon that hangs is ended by the manager and started again.
watchdog_bites() {
  local pid before
  before=$(property NRestarts)
  pid=$(main_pid) || return 1
  kill -STOP "$pid"
  within 300 eval '[ "$(property NRestarts)" -gt '"$before"' ]' || return 1
  new_kernel_compiles && [ "$(property MainPID)" != "$pid" ] &&
    journalctl -q --no-pager -u quernd.service | grep 'Watchdog timeout'
}

# It lives longer than the watchdog waits.
signs_of_life_come() {
  local pid
  pid=$(main_pid) || return 1
  sleep 25
  [ "$(property MainPID)" = "$pid" ] && daemon_is_on
}

exposure_is_low() {
  systemd-analyze security --no-pager --threshold=15 quernd.service \
    > /tmp/security || { tail -n 1 /tmp/security; return 1; }
}

status_line_is_there() { property StatusText | grep 'kernels in'; }

stop_keeps_the_sockets() {
  systemctl stop quernd.service && [ "$(property Result)" = success ] &&
    sockets_are_right && daemon_is_off && new_kernel_compiles && daemon_is_on
}

socket_unit_stops() {
  systemctl stop quernd.socket quernd.service && [ ! -e $folder/rpc.sock ] &&
    [ ! -e $folder/attach.sock ]
}

say "$cpu, $(uname -r), systemd $(systemctl --version | sed -n '1s/.*(\(.*\))/\1/p'), up $(cut -d' ' -f1 /proc/uptime) s"
try "an operator installs it and enables the socket" install_it
try "the sockets are the group's" sockets_are_right
try "nothing runs before the first client" daemon_is_off
try "the first client starts it, and a sum is right" values_are_right
try "an executor of the service's gets it right, too" values_are_right --served
try "the demo's four kernels are right" demo_is_right
try "it found out its processor" target_is_right
say "      $(target | paste -sd ' ')"
try "who is not in the group is refused" outsider_is_refused
try "no memory is writable and executable" no_code_is_writable
try "no layer of the sandbox is missing, no call was denied" nothing_is_missing
try "the manager shows a status" status_line_is_there
say "      status $(property StatusText)"
try "a client launches on while it restarts and dies" launches_go_on
try "a daemon that lives is left alone" signs_of_life_come
try "the watchdog ends a daemon that hangs" watchdog_bites
try "its exposure is low" exposure_is_low
say "      $(tail -n 1 /tmp/security | tr -d '→')"
try "doctor finds the service" as_member quern doctor
try "a stop leaves the sockets, a client starts it again" stop_keeps_the_sockets
try "the sockets go with their unit" socket_unit_stops
finish 0
