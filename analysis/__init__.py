"""What came out: barriers, distributions, verdicts and figures, each with its evidence.

This room reads numbers and files. It imports no engine, no workflow and no input; of
``superionic.structures`` it uses only the value types and the errors.
"""
