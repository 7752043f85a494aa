"""The documents' network with gradients derived by hand.

NumPy only: nothing here imports gradcheck or JAX, so that the hand formulas stay an
independent witness. Read `row_major.py` first; `column_major.py` is its transpose.
"""
