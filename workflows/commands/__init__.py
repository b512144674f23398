"""What the commands of the command line do; `superionic.workflows.cli` says how they are called."""
