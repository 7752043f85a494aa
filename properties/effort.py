"""How many examples a property is given whose examples cost more than those of others."""

from hypothesis import settings

FEWEST = 10


def one_in(share: int) -> settings:
    """One in `share` of the examples of the profile that is in force, so that `thorough` stays thorough."""
    return settings(max_examples=max(FEWEST, settings().max_examples // share))
