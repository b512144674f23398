#!/usr/bin/env bash
# A Slurm of one node for the tests: its own folder, ports, munge and key, no systemd. Prints what
# to export, so that nothing but this shell knows of it:
#   apt-get update && apt-get install -y --no-install-recommends slurm-wlm munge
#   slurm=$(bash .ci/slurm/start.sh) && eval "$slurm"
#   .venv/bin/pytest -m slow tests/workflows/test_cluster_slurm.py
#   bash .ci/slurm/stop.sh
# Another Slurm or munge on the machine is never asked, changed or ended. The number of cores that
# the node pretends to have may be given as an argument.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
place=${SUPERIONIC_SLURM_PLACE:-/tmp/superionic-slurm-$(id -u)}
conf=$place/slurm.conf

say() {
  printf 'export SLURM_CONF=%q SUPERIONIC_SLURM_PLACE=%q SUPERIONIC_TEST_SLURM=1\n' "$conf" "$place"
}
fail() {
  echo "$1" >&2
  tail -n 20 "$place"/*.log >&2 2> /dev/null || true
  bash "$here/stop.sh"
  exit 1
}
free_port() {  # the first of these at which nobody listens
  for port in $(seq "$1" 20 "$(($1 + 400))"); do
    if ! (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
      echo "$port"
      return
    fi
  done
  return 1
}
answers() { SLURM_CONF=$conf timeout 10 "$@" 2> /dev/null; }

for program in munged slurmctld slurmd sbatch; do
  PATH=$PATH:/usr/sbin command -v "$program" > /dev/null ||
    { echo "$program is missing: apt-get install slurm-wlm munge" >&2; exit 1; }
done
if [ -e "$place/.superionic-slurm" ]; then
  if answers scontrol ping | grep -q 'is UP' && answers sinfo -h -o %T | grep -qE 'idle|mix|alloc'; then
    say
    exit 0
  fi
  bash "$here/stop.sh"
elif [ -e "$place" ]; then
  echo "$place exists and is not ours: name another folder in SUPERIONIC_SLURM_PLACE" >&2
  exit 1
fi
mkdir -m 755 "$place"
touch "$place/.superionic-slurm"
mkdir "$place/state" "$place/spool"

host=$(hostname -s)
memory=$(($(awk '/MemTotal/{print $2}' /proc/meminfo) / 1024 - 512))
sed -e "s|@HOST@|$host|g" -e "s|@PLACE@|$place|g" -e "s|@CPUS@|${1:-8}|" -e "s|@MEM@|$memory|" \
  -e "s|@USER@|$(id -un)|g" -e "s|@PORT@|$(free_port 16817)|" -e "s|@NODEPORT@|$(free_port 16818)|g" \
  "$here/slurm.conf.in" > "$conf"
# Slurm 22.05 always loads a cgroup plugin and refuses "disabled"; v1 does nothing here.
echo 'CgroupPlugin=cgroup/v1' > "$place/cgroup.conf"
(umask 077 && dd if=/dev/urandom of="$place/munge.key" bs=1 count=1024 status=none)

# Daemons hold none of our streams, or whoever reads them would wait for ever.
start() { PATH=$PATH:/usr/sbin "$@" < /dev/null >> "$place/start.log" 2>&1; }
start munged --force --key-file="$place/munge.key" --socket="$place/munge.socket" \
  --pid-file="$place/munged.pid" --log-file="$place/munged.log" --seed-file="$place/munge.seed" ||
  fail 'munged does not start'
start slurmctld -c -f "$conf" || fail 'slurmctld does not start'
start slurmd -N "$host" -f "$conf" || fail 'slurmd does not start'
for _ in $(seq 120); do
  if answers sinfo -h -o %T | grep -qx idle; then
    say
    exit 0
  fi
  sleep 0.5
done
fail 'the node did not become idle'
