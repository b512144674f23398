"""The papers as worked examples: one module a paper, built from the general workflows."""
