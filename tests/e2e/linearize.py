"""A checker of linearizability, for histories of one key.

A history is a list of operations that overlapped in time. It is linearizable if they can be put in one order, each at an
instant between its call and its return, in which a single-threaded model gives every answer that was seen.
(Herlihy and Wing, "Linearizability: a correctness condition for concurrent objects", 1990.)

The search is Wing and Gong's with Lowe's memory of states that led nowhere ("Testing for linearizability", 2017): take
any operation that could come next (none that is not yet placed had returned before it was called), ask the model, go on
from there; a pair of (operations placed, state) is tried once. Exponential at worst; with few clients at a time, linear
in practice. An operation whose answer never came (a crash, a closed connection) may have taken place at any later
instant (up to `until`), or never.
"""
import dataclasses
import math
from typing import Any

UNKNOWN = object()  # the answer of an operation that never returned


@dataclasses.dataclass(frozen=True)
class Op:
    called: float
    returned: float  # math.inf: it never did
    kind: str
    argument: Any = None
    answer: Any = UNKNOWN
    until: float = math.inf  # the server died then: what has not taken place by now never will


# ---- models: (state, op) -> (answer, next state) ---------------------------------------------------------------------


def register(state, op):
    """SET and GET; `cas` is a conditional write, (expected, new), which tells whether it took place."""
    if op.kind == "set":
        return "OK", op.argument
    if op.kind == "cas":
        expected, new = op.argument
        return (True, new) if state == expected else (False, state)
    return state, state


def counter(state, op):
    """INCR by `argument`, and GET."""
    if op.kind == "incr":
        return (state or 0) + op.argument, (state or 0) + op.argument
    return state, state


def queue(state, op):
    """RPUSH of one element, LPOP, LLEN; the state is a tuple."""
    if op.kind == "push":
        return len(state) + 1, (*state, op.argument)
    if op.kind == "pop":
        return (state[0], state[1:]) if state else (None, state)
    return len(state), state


def pair(state, op):
    """Two registers that are only ever set and read together (MULTI ... EXEC, MSET and MGET)."""
    return ("OK", op.argument) if op.kind == "set" else (state, state)


# ---- the search ------------------------------------------------------------------------------------------------------


def _candidates(ops, placed):
    """Operations that may come next: not placed, and called before the first return among those not placed."""
    left = [i for i in range(len(ops)) if not placed >> i & 1]
    first_return = min((ops[i].returned for i in left), default=math.inf)
    latest_call = ops[placed.bit_length() - 1].called if placed else -math.inf  # they are in the order of their calls
    return [i for i in left if ops[i].called <= first_return and latest_call <= ops[i].until]


def linearizable(ops, model, start):
    """True if the history is; `start` is the state before it. The order of `ops` does not matter."""
    ops = sorted(ops, key=lambda op: op.called)
    must = sum(1 << i for i, op in enumerate(ops) if op.returned != math.inf)
    stack, seen = [(0, start)], set()
    while stack:
        placed, state = stack.pop()
        if placed & must == must:
            return True
        if (placed, state) in seen:
            continue
        seen.add((placed, state))
        for i in _candidates(ops, placed):
            answer, after = model(state, ops[i])
            if ops[i].answer is UNKNOWN or ops[i].answer == answer:
                stack.append((placed | 1 << i, after))
    return False
