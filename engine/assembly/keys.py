"""Where does the right answer stand? Letters in their shares, and none too often in a row.

An item whose options may be shuffled can have any of its letters as key; others keep theirs and may only change places
where the order of the form leaves that open. Letters are dealt out along the form; what is still wrong afterwards is
mended by the change that leaves least wrong, equal ones at random (min-conflicts: Minton et al., 1992).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, floor

import numpy as np

from engine.assembly.paper import Letters, Paper
from engine.blueprints import InfeasibleBlueprintError, Shortfall


class UnbalancedKeysError(InfeasibleBlueprintError):
    """No order and no shuffling of a form balances its keys; `items` are the positions of those in the way."""

    def __init__(self, message: str, shortfall: Shortfall, items: tuple[int, ...]) -> None:
        super().__init__(message, (shortfall,))
        self.items = items


Unit = tuple[int, ...]  # items that stand together, in order
Ties = list[list[Unit]]  # units in order; those of one list may change places

SERIES = ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "123456789")  # how options are named
STARTS = 4
STEPS = 150
LOOKED_AT = 24  # changes that are compared at each step
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class _Keys:
    """A `key_balance` on a form: the letters in question, how often each may be a key, and how often in a row."""

    rule: str
    names: tuple[str, ...]
    items: frozenset[int]
    low: int
    high: int
    run: int

    def wrong(self, line: Sequence[int], key: Mapping[int, str]) -> int:
        """How many keys are too many or too few."""
        letters = [key[j] if j in self.items else "" for j in line]
        counts = Counter(letters)
        off = sum(max(self.low - counts[name], counts[name] - self.high, 0) for name in self.names)
        return off + sum(max(0, end - start - self.run) for start, end in self.runs(letters))

    def runs(self, letters: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Where the same letter stands too often in a row, as (start, end)."""
        start = 0
        for letter, same in groupby(letters):
            end = start + sum(1 for _ in same)
            if letter and end - start > self.run:
                yield start, end
            start = end


def balance_keys(paper: Paper, ties: Ties, *, seed: int = 0) -> tuple[list[int], dict[str, str]]:
    """The items in order, and for those that are shuffled their options in the order in which they are printed.

    "CABD" says that option C is printed first, as A. Raises UnbalancedKeysError, with the rule and the stretch of the
    form, where no such order and no such letters were found.
    """
    if not paper.letters:
        return _line(ties), {}
    line = _line(ties)
    options = {j: letters for j in line if (letters := _options(paper, j))}
    original = {j: _key(paper, j) for j in line}
    rules = [_keys_of(letters, line) for letters in paper.letters]
    _check_fixed(paper, rules, ties, original, options)
    rng = np.random.default_rng([seed, len(line)])
    best: tuple[int, Ties, dict[int, str]] | None = None
    for _ in range(STARTS):
        key = _deal(rules, line, original, options, rng)
        wrong, order, key = _mend(rules, [list(tied) for tied in ties], key, options, rng)
        if not wrong:
            printed = {paper.pool.ids[j]: _permutation(original[j], key[j], options[j], rng) for j in sorted(options)}
            return _line(order), printed
        if best is None or wrong < best[0]:
            best = wrong, order, key
    raise _not_met(paper, rules, _line(best[1]) if best else line, best[2] if best else original)


def _line(ties: Ties) -> list[int]:
    return [j for tied in ties for unit in tied for j in unit]


def _key(paper: Paper, j: int) -> str:
    return next((one.names[one.letter[j]] for one in paper.letters if one.letter[j] >= 0), "")


def _options(paper: Paper, j: int) -> str:
    """The letters that can be the key of an item whose options may be shuffled: as many as the column `options` says.

    Without one, those up to the last letter that is a key of anything the rule speaks of. Options may be lettered A, B,
    … or a, b, … or numbered from 1; keys of several letters (AB) are not theirs.
    """
    letters = next((one for one in paper.letters if one.free[j]), None)
    if letters is None:
        return ""
    key = letters.names[letters.letter[j]]
    series = next((one for one in SERIES if key in one), "")
    if not series:
        return "".join(name for name in letters.names if len(name) == 1)
    count = 1 + max(series.find(name) for name in letters.names if len(name) == 1)
    if "options" in paper.pool.attributes and (own := paper.pool.numbers("options")[j]) >= 1:
        count = max(int(own), 1 + series.index(key))
    return series[:count]


def _keys_of(letters: Letters, line: Sequence[int]) -> _Keys:
    rule = letters.rule
    items = frozenset(j for j in line if letters.letter[j] >= 0)
    least, most = (share * len(items) for share in rule.shares)
    if rule.share is None or isinstance(rule.share, tuple):
        low, high = ceil(least - ROUNDING), floor(most + ROUNDING)
    else:
        low, high = floor(least + ROUNDING), ceil(most - ROUNDING)
    return _Keys(rule.id, letters.names, items, low, high, len(line) if rule.run is None else rule.run)


def _check_fixed(
    paper: Paper, rules: Sequence[_Keys], ties: Ties, key: Mapping[int, str], options: Mapping[int, str]
) -> None:
    """Refuse a run of items of which none can move or be shuffled: nothing mends it."""
    fixed = {j for tied in ties if len(tied) == 1 for j in tied[0] if j not in options}
    line = _line(ties)
    for one in rules:
        letters = [key[j] if j in one.items and j in fixed else "" for j in line]
        if any(one.runs(letters)):
            raise _not_met(paper, [one], line, dict(zip(line, letters, strict=True)))


def _deal(
    rules: Sequence[_Keys],
    line: Sequence[int],
    original: Mapping[int, str],
    options: Mapping[int, str],
    rng: np.random.Generator,
) -> dict[int, str]:
    """Letters for the shuffled items along the form, each in its share and, as far as is seen, in no long run."""
    key = {j: letter for j, letter in original.items() if j not in options}
    for one in rules:
        left = _quotas(one, Counter(key[j] for j in one.items if j in key), rng)
        run, before = 0, ""
        for place, j in enumerate(line):
            if j in one.items and j not in key:
                ahead = line[place + 1] if place + 1 < len(line) else -1
                shunned = {before} if run >= one.run else set()
                if run + 1 >= one.run and ahead in one.items:
                    shunned |= {key.get(ahead, "")} & {before}
                able = [letter for letter in options[j] if left[letter] > 0] or list(options[j])
                wanted = [letter for letter in able if letter not in shunned] or able
                weights = np.array([max(left[letter], 0) + 1e-3 for letter in wanted])
                key[j] = wanted[int(rng.choice(len(wanted), p=weights / weights.sum()))]
                left[key[j]] -= 1
            letter = key.get(j, "") if j in one.items else ""
            run, before = (run + 1 if letter and letter == before else 1), letter
    return {j: key.get(j, original[j]) for j in line}


def _quotas(one: _Keys, fixed: Counter[str], rng: np.random.Generator) -> Counter[str]:
    """How many more keys each letter is to have: as evenly as the fixed ones and the bounds allow."""
    names = [one.names[n] for n in rng.permutation(len(one.names))]
    total = Counter({name: max(fixed[name], one.low) for name in names})
    for _ in range(len(one.items) - total.total()):
        total[min(names, key=lambda name: (total[name] >= one.high, total[name]))] += 1
    return Counter({name: total[name] - fixed[name] for name in names})


def _mend(
    rules: Sequence[_Keys],
    ties: Ties,
    key: dict[int, str],
    options: Mapping[int, str],
    rng: np.random.Generator,
) -> tuple[int, Ties, dict[int, str]]:
    """Change letters and places until nothing is wrong or nothing helps: what is wrong then, the order and the keys."""
    home = {j: (t, unit) for t, tied in enumerate(ties) for unit in tied for j in unit}
    free = sorted(options)
    wrong = sum(one.wrong(_line(ties), key) for one in rules)
    for _ in range(STEPS):
        if not wrong:
            break
        j = _culprit(rules, _line(ties), key, rng)
        changes = [*_relabelled(j, key, options, free), *_moved(j, home, ties)]
        if not changes:
            continue
        tried: list[tuple[int, Ties, dict[int, str]]] = []
        for n in rng.permutation(len(changes))[:LOOKED_AT].tolist():
            order, letters = changes[n]
            order_of = ties if order is None else _swapped(ties, *order)
            keys = key if letters is None else key | letters
            tried.append((sum(one.wrong(_line(order_of), keys) for one in rules), order_of, keys))
        best = min(tried, key=lambda one: one[0])
        if best[0] <= wrong + (rng.random() < 0.1):
            wrong, ties, key = best
    return wrong, ties, key


Move = tuple[int, Unit, Unit]  # two units of one tie that change places
Change = tuple[Move | None, dict[int, str] | None]


def _relabelled(j: int, key: Mapping[int, str], options: Mapping[int, str], free: Sequence[int]) -> Iterator[Change]:
    """Another letter for an item, alone or in exchange."""
    for letter in options.get(j, ""):
        if letter != key[j]:
            yield None, {j: letter}
    if j in options:
        for other in free:
            if key[other] != key[j] and key[other] in options[j] and key[j] in options[other]:
                yield None, {j: key[other], other: key[j]}


def _moved(j: int, home: Mapping[int, tuple[int, Unit]], ties: Ties) -> Iterator[Change]:
    """Another place for an item, in exchange with one that the order holds equal."""
    t, unit = home[j]
    for other in ties[t]:
        if other != unit:
            yield (t, unit, other), None


def _swapped(ties: Ties, t: int, one: Unit, other: Unit) -> Ties:
    turned = [other if unit == one else one if unit == other else unit for unit in ties[t]]
    return [*ties[:t], turned, *ties[t + 1 :]]


def _culprit(rules: Sequence[_Keys], line: Sequence[int], key: Mapping[int, str], rng: np.random.Generator) -> int:
    """An item that stands in too long a run, or that has a letter of which there are too many; or any of the rule's."""
    suspects: list[int] = []
    for one in rules:
        letters = [key[j] if j in one.items else "" for j in line]
        counts = Counter(letters)
        for start, end in one.runs(letters):
            suspects += line[start:end]
        if any(counts[name] < one.low for name in one.names):
            suspects += [j for j in one.items if counts[key[j]] > one.low]
        suspects += [j for j in one.items if counts[key[j]] > one.high]
    return sorted(suspects or line)[int(rng.integers(len(suspects or line)))]


def _permutation(key: str, printed: str, options: str, rng: np.random.Generator) -> str:
    """The options in an order at random in which the key is printed as the letter `printed`."""
    others = [letter for letter in options if letter != key]
    order = [others[n] for n in rng.permutation(len(others))]
    order.insert(options.index(printed), key)
    return "".join(order)


def _not_met(paper: Paper, rules: Sequence[_Keys], line: Sequence[int], key: Mapping[int, str]) -> UnbalancedKeysError:
    """What could not be mended, with the rule and the stretch of the form."""
    for one in rules:
        letters = [key[j] if j in one.items else "" for j in line]
        for start, end in one.runs(letters):
            ids = [paper.pool.ids[j] for j in line[start:end]]
            return UnbalancedKeysError(
                f"rule {one.rule!r}: places {start + 1} to {end} of the form ({ids[0]!r} … {ids[-1]!r}) have the key "
                f"{letters[start]!r}, {end - start} in a row where {one.run} are allowed, and neither shuffling nor "
                "the order undoes it; order by fewer columns, let more options be shuffled, or raise `run`",
                Shortfall(one.rule, float(end - start - one.run)),
                tuple(line[start:end]),
            )
    for one in rules:
        counts = Counter(key[j] for j in line if j in one.items)
        for name in one.names:
            if not one.low <= counts[name] <= one.high:
                off = max(one.low - counts[name], counts[name] - one.high)
                return UnbalancedKeysError(
                    f"rule {one.rule!r}: {name!r} is the key of {counts[name]} of {len(one.items)} items, where "
                    f"{one.low:g} to {one.high:g} are wanted, and no shuffling of options changes that",
                    Shortfall(one.rule, float(off)),
                    tuple(sorted(one.items)),
                )
    raise AssertionError("nothing is wrong")
