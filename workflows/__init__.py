"""Who does what when: levels of theory, relaxations, bands, runs, papers and the command line.

This room may import the other three. Nothing outside it imports it.
"""
