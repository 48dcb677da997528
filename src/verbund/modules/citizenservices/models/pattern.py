"""Patterns of form fields: regular expressions of XML Schema, matched in time linear in the text.

A pattern comes from an imported file and the text from anybody, so neither may choose how long we compute. XML Schema's
expressions have no look-around and no back references: they are regular languages, and an automaton that walks all
possibilities side by side cannot be driven into backtracking. The same automaton makes up matching texts (`example`).

Source: W3C XML Schema Part 2: Datatypes, Appendix F.
"""

import random
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache

MAX_STATES = 6_000
MAX_TEXT = 4_000
_LAST = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]


class PatternUnsupported(ValueError):  # noqa: N818 - names what it says
    """The pattern is no regular expression of XML Schema, or needs more states than we grant."""


@dataclass(frozen=True, slots=True)
class _Chars:
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class _Sequence:
    parts: tuple["_Node", ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    branches: tuple["_Node", ...]


@dataclass(frozen=True, slots=True)
class _Repeat:
    part: "_Node"
    minimum: int
    maximum: int | None


_Node = _Chars | _Sequence | _Choice | _Repeat


def _merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    out: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return tuple(out)


def _without(ranges: Ranges, taken: Ranges) -> Ranges:
    return _negated(_merged((*_negated(ranges), *taken)))


def _negated(ranges: Ranges) -> Ranges:
    out, start = [], 0
    for first, last in ranges:
        if first > start:
            out.append((start, first - 1))
        start = last + 1
    if start <= _LAST:
        out.append((start, _LAST))
    return tuple(out)


@cache
def _category(name: str) -> Ranges:
    """The characters of a Unicode category on the first plane; no answer may hold others (DIN 91379)."""
    if name.startswith("Is"):
        if name == "IsBasicLatin":
            return ((0, 0x7F),)
        if name == "IsLatin-1Supplement":
            return ((0x80, 0xFF),)
        if name == "IsLatinExtended-A":
            return ((0x100, 0x17F),)
        if name == "IsLatinExtended-B":
            return ((0x180, 0x24F),)
        raise PatternUnsupported(f"\\p{{{name}}}")
    if name[:1] not in "LMNPZSC" or len(name) not in (1, 2):
        raise PatternUnsupported(f"\\p{{{name}}}")
    found = [(point, point) for point in range(0x10000) if unicodedata.category(chr(point)).startswith(name)]
    if not found:
        raise PatternUnsupported(f"\\p{{{name}}}")
    return _merged(found)


_SPACE: Ranges = ((9, 10), (13, 13), (32, 32))
_INITIAL: Ranges = _merged([(58, 58), (65, 90), (95, 95), (97, 122), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x2FF)])
_NAME: Ranges = _merged([*_INITIAL, (45, 46), (48, 57), (0xB7, 0xB7)])
_DOT: Ranges = _negated(((10, 10), (13, 13)))
_CONTROLS = {"n": 10, "r": 13, "t": 9}


@cache
def _escape(letter: str) -> Ranges | None:
    match letter:
        case "s":
            return _SPACE
        case "d":
            return _category("Nd")
        case "w":
            return _negated(_merged([*_category("P"), *_category("Z"), *_category("C")]))
        case "i":
            return _INITIAL
        case "c":
            return _NAME
        case "S" | "D" | "W" | "I" | "C":
            positive = _escape(letter.lower())
            return _negated(positive) if positive is not None else None
    return None


class _Parser:
    """Recursive descent over the grammar of Appendix F; anchors at the two ends are tolerated, as published forms use
    them.
    """

    def __init__(self, source: str) -> None:
        self.text = source
        self.at = 0
        self.notes: list[str] = []
        if self.text.startswith("^"):
            self.text = self.text[1:]
            self.notes.append("^")
        if self.text.endswith("$") and not self.text.endswith("\\$"):
            self.text = self.text[:-1]
            self.notes.append("$")

    def parse(self) -> _Node:
        node = self._expression(0)
        if self.at < len(self.text):
            raise PatternUnsupported(self.text[self.at :])
        return node

    def _peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise PatternUnsupported(self.text)
        self.at += 1
        return char

    def _expression(self, depth: int) -> _Node:
        if depth > 50:
            raise PatternUnsupported("(" * 50)
        branches = [self._branch(depth)]
        while self._peek() == "|":
            self.at += 1
            branches.append(self._branch(depth))
        return branches[0] if len(branches) == 1 else _Choice(tuple(branches))

    def _branch(self, depth: int) -> _Node:
        parts: list[_Node] = []
        while self._peek() and self._peek() not in "|)":
            parts.append(self._quantified(self._atom(depth)))
        return parts[0] if len(parts) == 1 else _Sequence(tuple(parts))

    def _quantified(self, atom: _Node) -> _Node:
        char = self._peek()
        if char == "?":
            self.at += 1
            node: _Node = _Repeat(atom, 0, 1)
        elif char == "*":
            self.at += 1
            node = _Repeat(atom, 0, None)
        elif char == "+":
            self.at += 1
            node = _Repeat(atom, 1, None)
        elif char == "{":
            end = self.text.find("}", self.at)
            if end < 0:
                raise PatternUnsupported(self.text[self.at :])
            body = self.text[self.at + 1 : end]
            low, comma, high = body.partition(",")
            if not low.isdecimal() or (high and not high.isdecimal()) or len(body) > 12:
                raise PatternUnsupported(f"{{{body}}}")
            minimum = int(low)
            maximum = minimum if not comma else (int(high) if high else None)
            if (maximum is not None and maximum < minimum) or max(minimum, maximum or 0) > MAX_STATES:
                raise PatternUnsupported(f"{{{body}}}")
            self.at = end + 1
            node = _Repeat(atom, minimum, maximum)
        else:
            return atom
        if self._peek() and self._peek() in "?*+{":
            raise PatternUnsupported(self.text[self.at - 1 : self.at + 1])
        return node

    def _atom(self, depth: int) -> _Node:
        char = self._take()
        if char == "(":
            if self._peek() == "?":
                if self.text[self.at : self.at + 2] != "?:":
                    raise PatternUnsupported("(" + self.text[self.at : self.at + 3])
                self.at += 2
            inside = self._expression(depth + 1)
            if self._take() != ")":
                raise PatternUnsupported(self.text)
            return inside
        if char == "[":
            return _Chars(self._class(0))
        if char == ".":
            return _Chars(_DOT)
        if char == "\\":
            return _Chars(self._escaped())
        if char in "?*+{":
            raise PatternUnsupported(char)
        return _Chars(((ord(char), ord(char)),))

    def _escaped(self) -> Ranges:
        char = self._take()
        if char in _CONTROLS:
            return ((_CONTROLS[char], _CONTROLS[char]),)
        if char in "pP":
            if self._take() != "{":
                raise PatternUnsupported(f"\\{char}")
            end = self.text.find("}", self.at)
            if end < 0:
                raise PatternUnsupported(f"\\{char}")
            ranges = _category(self.text[self.at : end])
            self.at = end + 1
            return ranges if char == "p" else _negated(ranges)
        named = _escape(char)
        if named is not None:
            return named
        if char.isalnum():
            raise PatternUnsupported(f"\\{char}")
        return ((ord(char), ord(char)),)

    def _class(self, depth: int) -> Ranges:
        if depth > 10:
            raise PatternUnsupported("[" * 10)
        negative = self._peek() == "^"
        if negative:
            self.at += 1
        found: list[tuple[int, int]] = []
        taken: Ranges = ()
        first = True
        while True:
            char = self._take()
            if char == "]" and not first:
                break
            if char == "-" and self._peek() == "[":
                self.at += 1
                taken = self._class(depth + 1)
                if self._take() != "]":
                    raise PatternUnsupported(self.text)
                break
            if char == "[":
                raise PatternUnsupported("[[")
            first = False
            ranges = self._escaped() if char == "\\" else ((ord(char), ord(char)),)
            following = self.text[self.at + 1 : self.at + 2]
            if self._peek() == "-" and following not in ("]", "[", "") and len(ranges) == 1:
                self.at += 1
                upper = self._take()
                high = self._escaped() if upper == "\\" else ((ord(upper), ord(upper)),)
                if len(high) != 1 or ranges[0][0] != ranges[0][1] or high[0][0] != high[0][1]:
                    raise PatternUnsupported(self.text)
                if high[0][0] < ranges[0][0]:
                    raise PatternUnsupported(f"{char}-{upper}")
                found.append((ranges[0][0], high[0][0]))
            else:
                found.extend(ranges)
        ranges = _merged(found)
        return _without(_negated(ranges) if negative else ranges, taken)


@dataclass(slots=True)
class Pattern:
    """A compiled pattern. `notes` names constructs that were read kindly (anchors, which XML Schema does not know)."""

    source: str
    notes: tuple[str, ...] = ()
    _edges: list[list[tuple[Ranges, int]]] = field(default_factory=list)
    _silent: list[list[int]] = field(default_factory=list)
    _accept: int = 0
    _start: int = 0
    _memo: dict[tuple[frozenset[int], str], frozenset[int]] = field(default_factory=dict)
    _left: list[int] = field(default_factory=list)

    def matches(self, text: str) -> bool:
        """Whether the whole text is in the language; texts above MAX_TEXT characters never are."""
        if len(text) > MAX_TEXT:
            return False
        states = self._closure([self._start])
        for char in text:
            states = self._step(states, char)
            if not states:
                return False
        return self._accept in states

    def example(self, rng: random.Random, minimum: int = 0, maximum: int = 200) -> str | None:
        """A matching text of `minimum` to `maximum` characters, or None if a few hundred tries found none."""
        left = self._distances()
        for _ in range(300):
            states, text = self._closure([self._start]), ""
            while True:
                done = self._accept in states
                if done and len(text) >= minimum and (rng.random() < 0.5 or len(text) >= maximum):
                    return text
                options = [
                    (ranges, target)
                    for state in sorted(states)
                    for ranges, target in self._edges[state]
                    if ranges and left[target] >= 0 and len(text) + 1 + left[target] <= maximum
                ]
                if not options:
                    if done and len(text) >= minimum:
                        return text
                    break
                ranges, _target = rng.choice(options)
                char = _pick(rng, ranges)
                states = self._step(states, char)
                text += char
        return None

    def _closure(self, start: Iterable[int]) -> frozenset[int]:
        seen, stack = set(start), list(start)
        while stack:
            for target in self._silent[stack.pop()]:
                if target not in seen:
                    seen.add(target)
                    stack.append(target)
        return frozenset(seen)

    def _step(self, states: frozenset[int], char: str) -> frozenset[int]:
        key = (states, char)
        known = self._memo.get(key)
        if known is not None:
            return known
        point = ord(char)
        reached = [target for state in states for ranges, target in self._edges[state] if _holds(ranges, point)]
        result = self._closure(set(reached))
        if len(self._memo) > 2_000:
            self._memo.clear()
        self._memo[key] = result
        return result

    def _distances(self) -> list[int]:
        """Fewest characters from each state to acceptance; -1 where there is no way."""
        if self._left:
            return self._left
        size = len(self._edges)
        back: list[list[tuple[int, int]]] = [[] for _ in range(size)]
        for state in range(size):
            for _ranges, target in self._edges[state]:
                back[target].append((state, 1))
            for target in self._silent[state]:
                back[target].append((state, 0))
        left = [-1] * size
        left[self._accept] = 0
        frontier = [self._accept]
        while frontier:
            following: list[int] = []
            for state in frontier:
                for source, cost in back[state]:
                    if left[source] < 0 or left[source] > left[state] + cost:
                        left[source] = left[state] + cost
                        following.append(source)
            frontier = following
        self._left = left
        return left


def _holds(ranges: Ranges, point: int) -> bool:
    at = bisect_right(ranges, (point, _LAST)) - 1
    return at >= 0 and ranges[at][0] <= point <= ranges[at][1]


_READABLE: Ranges = ((48, 57), (65, 90), (97, 122))


def _pick(rng: random.Random, ranges: Ranges) -> str:
    """A character of the class, an ASCII letter or digit if the class has one."""
    for wanted in (_READABLE, ((32, 126),), ((0xC0, 0x17E),)):
        common = [(max(a, c), min(b, d)) for a, b in ranges for c, d in wanted if max(a, c) <= min(b, d)]
        if common:
            low, high = rng.choice(common)
            return chr(rng.randint(low, high))
    low, _high = ranges[0]
    return chr(low)


class _Builder:
    def __init__(self) -> None:
        self.edges: list[list[tuple[Ranges, int]]] = []
        self.silent: list[list[int]] = []
        self.work = 0

    def state(self) -> int:
        if len(self.edges) >= MAX_STATES:
            raise PatternUnsupported(f"> {MAX_STATES} states")
        self.edges.append([])
        self.silent.append([])
        return len(self.edges) - 1

    def add(self, node: _Node, start: int) -> int:
        """Append the automaton of `node` behind `start`; returns its end."""
        self.work += 1  # counted apart from the states: an empty part repeated a million times makes none
        if self.work > 4 * MAX_STATES:
            raise PatternUnsupported(f"> {MAX_STATES} states")
        if isinstance(node, _Chars):
            end = self.state()
            self.edges[start].append((node.ranges, end))
            return end
        if isinstance(node, _Sequence):
            for part in node.parts:
                start = self.add(part, start)
            return start
        if isinstance(node, _Choice):
            end = self.state()
            for branch in node.branches:
                entry = self.state()
                self.silent[start].append(entry)
                self.silent[self.add(branch, entry)].append(end)
            return end
        for _ in range(node.minimum):
            start = self.add(node.part, start)
        end = self.state()
        if node.maximum is None:
            loop = self.state()
            self.silent[start].append(loop)
            self.silent[self.add(node.part, loop)].append(loop)
            self.silent[loop].append(end)
            return end
        self.silent[start].append(end)
        for _ in range(node.maximum - node.minimum):
            entry = self.state()
            self.silent[start].append(entry)
            start = self.add(node.part, entry)
            self.silent[start].append(end)
        return end


@lru_cache(maxsize=512)
def compiled(source: str) -> Pattern:
    """The automaton of an XML Schema pattern. Raises PatternUnsupported, whose text is the construct in question."""
    if len(source) > 2_000:
        raise PatternUnsupported(source[:40])
    parser = _Parser(source)
    node = parser.parse()
    builder = _Builder()
    start = builder.state()
    accept = builder.add(node, start)
    return Pattern(source, tuple(parser.notes), builder.edges, builder.silent, accept, start)
