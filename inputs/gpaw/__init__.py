"""Scripts for GPAW."""
