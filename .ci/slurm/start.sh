#!/usr/bin/env bash
# A Slurm of one node for the tests, with its own folder and ports. As root, without systemd:
#   apt-get update && apt-get install -y --no-install-recommends slurm-wlm munge
#   eval "$(bash .ci/slurm/start.sh)"        # sets SLURM_CONF and SUPERIONIC_TEST_SLURM
#   .venv/bin/pytest -m slow tests/workflows/test_cluster_slurm.py
#   bash .ci/slurm/stop.sh
# Another Slurm on the machine is left alone: all commands go where SLURM_CONF points.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
place=${SUPERIONIC_SLURM_PLACE:-/tmp/superionic-slurm}
host=$(hostname -s)
memory=$(( $(awk '/MemTotal/{print $2}' /proc/meminfo) / 1024 - 512 ))
export SLURM_CONF=$place/slurm.conf

say() { printf 'export SLURM_CONF=%q\nexport SUPERIONIC_TEST_SLURM=1\n' "$SLURM_CONF"; }

if [ -e "$SLURM_CONF" ] && timeout 10 scontrol ping 2>/dev/null | grep -q 'is UP'; then
  say
  exit 0
fi
rm -rf "$place"
mkdir -p "$place/state" "$place/spool"
if ! munge -n > "$place/munge.try" 2>&1; then
  mkdir -p /etc/munge /run/munge /var/log/munge /var/lib/munge
  [ -s /etc/munge/munge.key ] || dd if=/dev/urandom of=/etc/munge/munge.key bs=1 count=1024 status=none
  chown -R munge:munge /etc/munge /run/munge /var/log/munge /var/lib/munge
  chmod 700 /etc/munge /var/log/munge
  chmod 400 /etc/munge/munge.key
  chmod 755 /run/munge
  runuser -u munge -- /usr/sbin/munged >&2
fi
sed -e "s|@HOST@|$host|g" -e "s|@PLACE@|$place|g" -e "s|@CPUS@|${1:-8}|" -e "s|@MEM@|$memory|" \
  "$here/slurm.conf.in" > "$SLURM_CONF"
# Slurm 22.05 always loads a cgroup plugin and refuses "disabled"; v1 does nothing here.
echo 'CgroupPlugin=cgroup/v1' > "$place/cgroup.conf"
/usr/sbin/slurmctld -c -f "$SLURM_CONF" >&2
/usr/sbin/slurmd -N "$host" -f "$SLURM_CONF" >&2
for _ in $(seq 60); do
  if timeout 10 sinfo -h -o %T 2>/dev/null | grep -qx idle; then
    say
    exit 0
  fi
  sleep 0.5
done
tail -n 20 "$place"/slurm*.log >&2
echo 'the node did not become idle' >&2
exit 1
