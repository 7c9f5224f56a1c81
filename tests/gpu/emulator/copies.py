"""Copies from global to local memory that go on by themselves (LDGSTS): what they bring is there
once the work-item that began them has waited for them, and not a step before."""
import numpy as np

from integer import U32, only
from memory import WIDTHS


class Copies:
    """Of all work-items. A group ends at LDGDEPBAR; DEPBAR.LE waits for all but the last ones."""

    def __init__(self, lanes):
        self.ended = np.zeros(lanes, int)  # groups of a work-item
        self.begun = []  # (lanes, their group, where in local memory, words)

    def begin(self, lanes, at, words):
        self.begun.append((lanes, self.ended[lanes], at, words))

    def end_group(self, mask):
        self.ended[mask] += 1

    def wait(self, machine, i, mask, but):
        local, left = machine.local, []
        for lanes, group, at, words in self.begun:
            there = mask[lanes] & (group < self.ended[lanes] - but)
            local.arrive(at[there], words[there])
            raced = local.watch.note(at[there], 4 * words.shape[1], lanes[there], True,
                                     machine.epoch)
            if raced.any():
                machine.fault("race", i, lanes[there][raced])
            if not there.all():
                left.append((lanes[~there], group[~there], at[~there], words[~there]))
        self.begun = left


def ldgsts(machine, i, mask):
    """Where its predicate does not hold, zeros come, and nothing is read."""
    only(i, "E", "BYPASS", "64", "128")
    width = next((WIDTHS[m] for m in i.modifiers if m in WIDTHS), 4)
    lanes = np.flatnonzero(mask)
    at = machine.address(i.operands[0], False)[lanes] - machine.local.base
    good = machine.local.check(machine, i, lanes, at, width, True)
    lanes, at = lanes[good], at[good]
    reads = np.ones(machine.lanes, bool)
    if len(i.operands) > 2:
        reads = reads & machine.predicate(i.operands[2])
    words = np.zeros((len(lanes), width // 4), U32)
    here = np.flatnonzero(reads[lanes])
    source = machine.address(i.operands[1], True)[lanes[here]] - machine.memory.base
    good = machine.memory.check(machine, i, lanes[here], source, width, False)
    words[here[good]] = machine.memory.load(source[good], width)
    machine.local.depart(at, width)
    machine.copies.begin(lanes, at, words)


def ldgdepbar(machine, i, mask):
    only(i)
    machine.copies.end_group(mask)


def depbar(machine, i, mask):
    """Of other counters than that of copies: what they wait for is there already."""
    if i.operands and i.operands[0].text == "SB0":
        only(i, "LE")
        machine.copies.wait(machine, i, mask, i.operands[1].value)


TABLE = {"LDGSTS": ldgsts, "LDGDEPBAR": ldgdepbar, "DEPBAR": depbar}
