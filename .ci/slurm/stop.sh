#!/usr/bin/env bash
# Ends the daemons that start.sh started, and no others.
place=${SUPERIONIC_SLURM_PLACE:-/tmp/superionic-slurm}
for name in slurmd slurmctld; do
  if [ -s "$place/$name.pid" ]; then kill "$(cat "$place/$name.pid")" 2>/dev/null; fi
done
exit 0
