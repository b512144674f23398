"""One figure, one file, one function: each draws values that were computed elsewhere."""
