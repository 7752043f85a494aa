"""Functions from a Report to text. Nothing here computes a verdict or evaluates anything."""
