"""What matter is: crystals, compositions, orderings, surfaces, hops and routes.

This room knows atoms and cells and nothing else. It imports no other room; quantities are in
angstrom, elementary charges and g/cm3, and arrays are numpy arrays with lattice vectors as rows.
"""
