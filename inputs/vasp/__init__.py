"""Input files of VASP."""
