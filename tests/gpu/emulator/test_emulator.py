"""The emulator's own tests: of the kernels in planted.cl it runs what is right, and finds what is
wrong with each of the others.
usage: test_emulator.py NVDISASM CUBIN"""
import struct
import sys

import numpy as np

from machine import Machine
from memory import Memory
from sass import Program
from watch import Watch

IN, COUNT, BASE = 64, 100, 0x100000000  # COUNT: of two work-groups of 64
EXPECTED = {
    "sound": [],
    "without_barrier": ["race"],
    "two_writers": ["race"],
    "divergent_barrier": ["barrier that not all work-items reach", "race"],
    "early_end": ["barrier that not all work-items reach"],
    "store_past_the_end": ["store to what is not the work-group's"],
    "load_past_the_end": ["load from what is not the work-group's"],
    "past_local_memory": ["store to outside of memory"],
    "misaligned": ["misaligned access"],
    "wrong_row": ["result"],
    "copied": [],
    "copied_without_wait": ["use of what is still being copied"],
    "copied_without_barrier": ["race"],
    "copied_past_the_end": ["load from what is not the work-group's"],
}


def start(program, numbers, out_words, items, group=(1, 0, 0)):
    """A machine whose global memory has numbers, a gap, and room for results."""
    out = IN + (numbers.nbytes + 2 * IN - 1) // IN * IN
    memory = Memory(out + 4 * out_words + IN, BASE, allowed=False)
    memory.bytes[IN:IN + numbers.nbytes] = numbers.view(np.uint8)
    memory.may_read[IN:IN + numbers.nbytes] = True
    memory.may_write[out:out + 4 * out_words] = True
    arguments = struct.pack("<QQi", BASE + IN, BASE + out, COUNT)
    machine = Machine(program, arguments, memory, group, (2, 1, 1), (items, 1, 1))
    machine.run()
    return machine, memory.bytes[out:out + 4 * out_words].view(np.uint32)


def faults_of(program):
    numbers = np.random.default_rng(1).standard_normal(COUNT).astype(np.float32)
    machine, out = start(program, numbers, COUNT, 64)
    found = [what for what, _, _ in machine.faults]
    turned = np.zeros(64, np.float32)
    turned[:COUNT - 64] = numbers[64:]
    if not found and (out[64:].view(np.float32) != turned[::-1][:COUNT - 64]).any():
        found.append("result")
    return sorted(set(found))


def expected_arithmetic(a, b):
    word, wide = 0xffffffff, (1 << 64) - 1
    sign = lambda x, bits: x - (1 << bits) if x >> (bits - 1) else x
    both, small = a << 32 | b, b >> 20 | 1
    bits = lambda x: struct.unpack("<I", struct.pack("<f", x))[0]
    remainder = abs(sign(a, 32)) % small * (-1 if sign(a, 32) < 0 else 1)
    turn = b & 31
    return [a // b, remainder & word, both // (b | 1) & word,
            (a << turn | a >> (32 - turn)) & word, a.bit_count() + 100 * (32 - b.bit_length()),
            sign(a, 32) * sign(b, 32) >> 32 & word, sign(both, 64) >> (a & 63) & word,
            bits(np.float32(sign(a, 32))), bits(np.float32(1) / np.float32(b)),
            (max(sign(a, 32), sign(b, 32)) & word) ^ min(a, b),
            (both * 0x123456789abcdef & wide) >> 32 & word,
            int(both > COUNT << 40) if a > b else a ^ (b & 255)]


def check_arithmetic(program):
    numbers = np.random.default_rng(2).integers(1, 1 << 32, 64, np.uint64)
    numbers[::5] >>= np.uint64(17)
    numbers = (numbers | np.uint64(1)).astype(np.uint32)
    machine, out = start(program, numbers, 12 * 32, 32)
    wrong = [text for _, _, text in machine.faults]
    for item in range(32):
        a, b = (int(x) for x in numbers[2 * item:2 * item + 2])
        expected, found = expected_arithmetic(a, b), [int(x) for x in out[12 * item:12 * item + 12]]
        wrong += [f"word {k} of {a:#x}, {b:#x}: {y:#x}; expected {x:#x}"
                  for k, (x, y) in enumerate(zip(expected, found)) if x != y]
    return wrong


def check_watch():
    """A place is of whoever used it since the last barrier."""
    watch, at = Watch(64), np.array([0, 8])
    steps = [(at, [1, 2], True, 0, False), (at, [1, 2], False, 0, False),  # own
             (at, [2, 1], False, 0, True), (at, [2, 1], False, 1, False),  # others', and later
             (at, [1, 2], False, 1, False), (at, [1, 2], True, 1, True),  # both read it
             (np.array([4, 4]), [1, 2], True, 2, True)]
    return [f"step {n}" for n, (where, who, stores, epoch, raced) in enumerate(steps)
            if watch.note(where, 4, np.array(who), stores, epoch).any() != raced]


def main(nvdisasm, cubin):
    failed = 0
    for kernel, expected in EXPECTED.items():
        found = faults_of(Program(nvdisasm, cubin, kernel))
        if found != expected:
            print(f"FAILED {kernel}: found {found}; expected {expected}")
            failed += 1
    for name, wrong in (("arithmetic", check_arithmetic(Program(nvdisasm, cubin, "arithmetic"))),
                        ("watch", check_watch())):
        for text in wrong:
            print(f"FAILED {name}: {text}")
        failed += bool(wrong)
    print(f"{len(EXPECTED) + 2 - failed} tests of the emulator passed, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
