"""Two subjects compared over their rounds: the ratio, how well it is known, and what the goals say to it."""
import itertools
import math
import statistics
from dataclasses import dataclass

from items import named


@dataclass
class Ratio:
    value: float
    error: float  # its standard error
    rounds: int

    def __str__(self):
        """Nothing is known to 0.00."""
        return f"{self.value:.2f} +- {max(0.01, self.error):.2f}"


def error_of_median(values):
    """The standard error of the median of values that were measured one after the other.

    It is that of a normal distribution with the values' quartiles: 1.253 deviations / sqrt(n), the deviation being the quartiles'
    distance / 1.349. So what lies far out counts as little as it does for the median itself. Neighbours are alike, since what
    disturbs the machine lasts longer than a round: with r the correlation of the sides of the median they lie on, n values are
    worth n (1 - r) / (1 + r) independent ones.
    """
    low, middle, high = statistics.quantiles(values, n=4)
    same = statistics.fmean((a > middle) == (b > middle) for a, b in itertools.pairwise(values))
    r = max(0.0, 2 * same - 1)
    return 1.253 / 1.349 * (high - low) / math.sqrt(max(1, len(values) * (1 - r) / (1 + r)))


def ratio(ours, theirs, name):
    """The median of the ratios round by round: what disturbed the machine in a round disturbed both. Of the rounds that both
    took, which are the first ones."""
    values = [a[name] / b[name] for a, b in zip(ours, theirs)]
    return Ratio(statistics.median(values), error_of_median(values), len(values))


def goal_ratio(goal, table):
    """None if one of the two was not measured."""
    if goal.ours in table and goal.subject in table:
        return ratio(table[goal.ours], table[goal.subject], goal.measure)
    return None


def unsettled(item, table, error):
    """The subjects of the goals whose ratio is not known to `error` yet."""
    return named(g for g in item.goals if (r := goal_ratio(g, table)) is not None and r.error > error)


def judge(item, table):
    """The item's goals against its rounds: [{what, limit, ratio, passed}]. What was not measured has neither ratio nor verdict."""
    judged = []
    for g in item.goals:
        r = goal_ratio(g, table)
        whose = "" if g.ours == "flashkv" else f"{g.ours}, "
        judged.append({"what": f"{whose}{g.measure} / {g.subject}", "ratio": r,
                       "limit": f"at {'least' if g.least else 'most'} {g.limit}",
                       "passed": None if r is None else r.value >= g.limit if g.least else r.value <= g.limit})
    return judged
