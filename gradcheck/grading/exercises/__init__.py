"""Skeletons of the exercises: files for students, whose formulas are theirs to find."""
