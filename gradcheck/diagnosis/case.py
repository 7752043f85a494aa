"""All wrong leaves of a claim together: one cause once, the more specific before the general."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from gradcheck.claim import Claim
from gradcheck.diagnosis.evidence import Evidence, Finding, Suspicion
from gradcheck.diagnosis.rules import RULES
from gradcheck.diagnosis.search import Match, matches
from gradcheck.diagnosis.sight import Sight
from gradcheck.diagnosis.subsets import is_spread
from gradcheck.verdict import LeafResult, Verdict

# Codes that say less than others that fit the same numbers.
RANK = {"wrong-activation": 1, "wrong-operand": 2, "overwrites": 2}
TOLD = 2  # causes that a message puts beside the first where all fit the same numbers


@dataclass(frozen=True, kw_only=True)
class Case:
    """A claim with wrong leaves, by position: the look at its own point, and looks at other data."""

    claim: Claim
    leaves: tuple[LeafResult, ...]
    wrong: frozenset[int]
    first: Sight
    others: tuple[Sight, ...]

    def fresh(self, position: int) -> tuple[Evidence, ...]:
        """What the other looks show of a leaf."""
        return tuple(look.evidence[position] for look in self.others if position in look.evidence)

    def error(self, position: int) -> float:
        """How wrong a leaf is, for the order in which causes are told."""
        error = self.leaves[position].error
        return error if math.isfinite(error) else math.inf

    @property
    def data(self) -> frozenset[int]:
        """The leaves that hold the batch: those known to, or arrays beside a container of parameters."""
        known = frozenset(p for p, is_data in enumerate(self.claim.leaves_of_data()) if is_data)
        whole = frozenset(p for p, leaf in enumerate(self.leaves) if leaf.name in self.claim.names)
        return known or (whole if len(whole) < len(self.leaves) else known)


Found = dict[int, Suspicion]


def findings(case: Case) -> tuple[Finding, ...]:
    """Every cause once, the worst leaf's first."""
    told = {p: s for p in sorted(case.wrong) if (s := suspicion(case.first.evidence[p], case.fresh(p)))}
    convention = _convention(case, told)
    if convention:
        return (convention,)
    open_leaves = case.wrong - {p for p, s in told.items() if not s.fitted}
    found: list[Finding] = []
    for best, same in _chosen(
        matches(case.first, case.others, open_leaves) if open_leaves else (), told, case
    ):
        found.append(_of_match(case, best, same, told))
        told = {p: s for p, s in told.items() if p not in best.leaves}
    found += _grouped(case, told)
    explained = {leaf for finding in found for leaf in finding.leaves}
    found += _input_only(case, explained)
    order = {leaf.name: -case.error(p) for p, leaf in enumerate(case.leaves)}
    return tuple(sorted(found, key=lambda finding: order[finding.leaf]))


def suspicion(evidence: Evidence, fresh: tuple[Evidence, ...]) -> Suspicion | None:
    """The first rule whose cause explains this leaf and all fresh evidence on it."""
    for rule in RULES:
        found = rule(evidence)
        if found and _stands(found, evidence, fresh):
            return found
    return None


def _stands(suspicion: Suspicion, evidence: Evidence, fresh: tuple[Evidence, ...]) -> bool:
    if suspicion.by_batch and all(e.batch_size == evidence.batch_size for e in fresh):
        return False
    if suspicion.fitted and not fresh and evidence.expected.size == 1:
        return False
    return all(suspicion.holds(e) for e in (evidence, *fresh))


def _chosen(found: tuple[Match, ...], told: Found, case: Case) -> list[tuple[Match, list[Match]]]:
    """The best match of all, with those that explain the same; then the best of what is left."""
    left, chosen = case.wrong - {p for p, s in told.items() if not s.fitted}, []
    # Where one factor explains a leaf, only what needs no fitted number is more specific.
    found = tuple(m for m in found if not (m.fitted and m.leaves & told.keys()))
    while rest := [m for m in found if m.leaves & left]:
        best = min(
            rest, key=lambda m: (-len(m.leaves & left), len(m.against), m.fitted, RANK.get(m.cause.code, 0))
        )
        same = [m for m in rest if m.leaves == best.leaves and m.against == best.against and m is not best]
        chosen.append((best, [m for m in same if m.fitted == best.fitted]))
        left = left - best.leaves
    return chosen


def _of_match(case: Case, best: Match, same: list[Match], told: Found) -> Finding:
    """A cause in the code, with what else fits the same numbers."""
    others = {m.cause.code: m.cause for m in reversed(same) if m.cause.code != best.cause.code}
    others = {code: c for code, c in others.items() if code not in best.cause.alternatives}
    found_code = best.cause.code
    messages = [best.cause.message, *(cause.message for cause in list(others.values())[:TOLD])]
    ruled = {told[p].code for p in best.leaves if p in told} - {best.cause.code}
    codes = dict.fromkeys((*best.cause.alternatives, *others, *sorted(ruled)))
    if _only_data(case) and best.against - case.data:
        # In the parameters' gradients the same derivative is right: the formula is known.
        best = replace(best, cause=replace(best.cause, code="input-gradient"))
        codes = dict.fromkeys((found_code, *codes))
        messages[0] = f"only in the gradient of the input, {messages[0]}"
    return Finding(
        code=best.cause.code,
        leaf=_worst(case, best.leaves),
        message="; or ".join(messages),
        remedy=best.cause.remedy,
        value=best.cause.value,
        confirmed=best.confirmed,
        leaves=_names(case, best.leaves),
        alternatives=tuple(codes),
    )


def _worst(case: Case, positions: frozenset[int]) -> str:
    return case.leaves[max(sorted(positions), key=case.error)].name


def _names(case: Case, positions: frozenset[int]) -> tuple[str, ...]:
    """Worst first."""
    return tuple(case.leaves[p].name for p in sorted(positions, key=lambda p: (-case.error(p), p)))


def _grouped(case: Case, told: Found) -> list[Finding]:
    """One finding for all leaves of which a rule says the same."""
    groups: dict[tuple[str, str], list[int]] = {}
    for position, found in told.items():
        groups.setdefault((found.code, found.message), []).append(position)
    return [_of_rule(case, told[positions[0]], frozenset(positions)) for positions in groups.values()]


def _of_rule(case: Case, found: Suspicion, positions: frozenset[int]) -> Finding:
    averaged = found.code == "factor" and _averaged(case, found, positions)
    return Finding(
        code="mean-for-sum" if averaged else found.code,
        leaf=_worst(case, positions),
        message=found.message,
        remedy=found.remedy,
        value=found.value,
        confirmed=any(case.fresh(p) for p in positions),
        leaves=_names(case, positions),
        alternatives=("factor", *found.alternatives) if averaged else found.alternatives,
    )


def _averaged(case: Case, found: Suspicion, positions: frozenset[int]) -> bool:
    """Whether a factor is that of a mean for a sum: in biases only, beside others that are right."""
    count = 1 / found.value if found.value else 0
    right = {p for p, leaf in enumerate(case.leaves) if leaf.verdict is Verdict.PASS}
    return (
        count > 1
        and all(_is_bias(case, p) for p in positions)
        and bool(right)
        and (found.by_batch or abs(count - round(count)) < 1e-9 * count)
    )


def _is_bias(case: Case, position: int) -> bool:
    """Whether a leaf is repeated along the examples: recorded so, or a vector that is no data."""
    if position in case.data:
        return False
    if case.first.record is not None:
        return is_spread(case.first.record, position)
    return max(case.leaves[position].shape, default=1) == math.prod(case.leaves[position].shape)


def _convention(case: Case, told: Found) -> Finding | None:
    """1/m in every parameter and not in the input: a convention, and no wrong formula."""
    m, parameters = case.first.batch_size, frozenset(range(len(case.leaves))) - case.data
    right = all(case.leaves[p].verdict is Verdict.PASS for p in case.data)
    scaled = all(
        p in told and told[p].by_batch and told[p].code == "factor" and told[p].value == 1 / (m or 1)
        for p in parameters
    )
    if not (m and case.data and parameters and right and scaled):
        return None
    position = min(parameters)
    found = _of_rule(case, told[position], parameters)
    return replace(
        found,
        code="convention-1/m-in-parameters",
        message=f"1/m = 1/{m} is in the gradients of the parameters and not in that of the input: "
        "a convention of batches, not a wrong formula",
        remedy='say so with convention="mean-in-parameters", or put the 1/m into the loss',
        alternatives=("factor",),
    )


def _only_data(case: Case) -> bool:
    """Whether there are parameters, and all are right."""
    fails = frozenset(p for p, leaf in enumerate(case.leaves) if leaf.verdict is not Verdict.PASS)
    return fails <= case.data and len(case.data) < len(case.leaves)


def _input_only(case: Case, explained: set[str]) -> list[Finding]:
    """What can be said where nothing else can: that only the input's gradient is wrong."""
    if explained or not case.wrong or not _only_data(case):
        return []
    return [
        Finding(
            code="input-gradient",
            leaf=_worst(case, case.wrong),
            message="the gradients of the parameters are right, only that of the input is wrong",
            remedy="look at the last line of the backward, which goes on to the layer before",
            value=None,
            confirmed=False,
            leaves=_names(case, case.wrong),
        )
    ]
