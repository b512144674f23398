"""How a code is told what to do: protocols as data, and the readers that turn them into values.

This room may import ``superionic.structures``; it never starts a calculation.
"""
