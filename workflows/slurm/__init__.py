"""Runs on a Slurm cluster: job scripts, the queue, and what became of each job.

No service runs anywhere: the state is the run folder and Slurm's own queue. Jobs are submitted
with `sbatch` from here and not through executorlib's cluster path, because in 1.11 (its source,
`task_scheduler/file/spawner_pysqa.py`) a job's number is stored only after `sbatch` has returned,
so that a driver killed in between submits it again; the command and its paths are joined by spaces
without quotes; a refused submission is stored as the task's result for good; there are no job
arrays and no retries, and options for GPUs are dropped. What runs inside a job is the function
that executorlib's worker program runs on this machine.
"""
