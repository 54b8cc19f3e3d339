"""What a model that sees no image reaches: fitted on training rows, scored on any others.

Nothing in here is ever fitted on the rows that it is scored on.
"""
