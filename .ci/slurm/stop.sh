#!/usr/bin/env bash
# Ends the daemons that start.sh started and the jobs on them, and no others; removes their folder.
set -uo pipefail
place=${SUPERIONIC_SLURM_PLACE:-/tmp/superionic-slurm-$(id -u)}
[ -e "$place/.superionic-slurm" ] || exit 0

ours() {  # the number of a daemon, if that process is still the one that was started
  local pid
  pid=$(cat "$place/$1.pid" 2> /dev/null) && [ -n "$pid" ] &&
    tr '\0' ' ' < "/proc/$pid/cmdline" 2> /dev/null | grep -qF "$place/" && echo "$pid"
}
if ours slurmctld > /dev/null; then
  export SLURM_CONF=$place/slurm.conf
  jobs=$(timeout 10 squeue -h -o %A 2> /dev/null)
  if [ -n "$jobs" ]; then
    timeout 10 scancel --full $jobs 2> /dev/null
    for _ in $(seq 30); do
      [ -z "$(timeout 10 squeue -h -o %A 2> /dev/null)" ] && break
      sleep 0.5
    done
  fi
fi
for name in slurmd slurmctld munged; do
  pid=$(ours "$name") || continue
  kill "$pid" 2> /dev/null
  for _ in $(seq 40); do
    ours "$name" > /dev/null || break
    sleep 0.25
  done
  pid=$(ours "$name") && kill -KILL "$pid" 2> /dev/null
done
rm -rf "$place"
exit 0
