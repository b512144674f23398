"""Input files of CASTEP."""
