"""The memories of a work-group, and the instructions that read and write them. Every access is
looked at: whether it is aligned, inside, allowed there, and alone."""
import numpy as np

from integer import U32, U64, only
from sass import NotKnown
from watch import Watch

CACHE_HINTS = ("E", "CONSTANT", "STRONG", "SYS", "GPU", "CTA", "EF", "EL", "LU", "NA")
WIDTHS = {"U8": 1, "S8": 1, "U16": 2, "S16": 2, "64": 8, "128": 16}


class Memory:
    """`base`: address of its first byte. May be read, and written, where the masks say so; holds
    NaN where nothing was put."""

    def __init__(self, size, base=0, allowed=True):
        size = (size + 15) // 16 * 16
        self.base = base
        self.bytes = np.full(size, 0xff, np.uint8)
        self.may_read = np.full(size, allowed)
        self.may_write = np.full(size, allowed)
        self.watch = Watch(size)
        self.awaited = np.zeros(size, bool)  # copies (copies.py) have not brought it yet

    def check(self, machine, i, lanes, at, width, stores):
        """Which accesses are to be done: those that are inside and aligned."""
        where = "store to" if stores else "load from"
        misaligned = at % width != 0
        outside = (at < 0) | (at + width > len(self.bytes))
        good = ~(misaligned | outside)
        may = self.may_write if stores else self.may_read
        stray = np.zeros(len(at), bool)
        stray[good] = ~may[at[good, None] + np.arange(width)].all(axis=1)
        if misaligned.any():
            machine.fault("misaligned access", i, lanes[misaligned])
        if (outside & ~misaligned).any():
            machine.fault(f"{where} outside of memory", i, lanes[outside & ~misaligned])
        if stray.any():
            machine.fault(f"{where} what is not the work-group's", i, lanes[stray])
        good &= ~stray
        early = np.zeros(len(at), bool)
        early[good] = self.awaited[at[good, None] + np.arange(width)].any(axis=1)
        if early.any():
            machine.fault("use of what is still being copied", i, lanes[early])
        raced = self.watch.note(at[good], width, lanes[good], stores, machine.epoch)
        if raced.any():
            machine.fault("race", i, lanes[good][raced])
        return good

    def depart(self, at, width):
        """Copies begin to what holds nothing until they arrive."""
        self.store(at, width, np.full((len(at), width // 4), 0xffffffff, U32))
        self.awaited[at[:, None] + np.arange(width)] = True

    def arrive(self, at, words):
        width = 4 * words.shape[1]
        self.store(at, width, words)
        self.awaited[at[:, None] + np.arange(width)] = False

    def load(self, at, width):
        """Words of accesses, a row each."""
        if width < 4:
            bytes_ = self.bytes[at[:, None] + np.arange(width)]
            padded = np.zeros((len(at), 4), np.uint8)
            padded[:, :width] = bytes_
            return padded.view(U32)
        return self.bytes.view(U32)[at[:, None] // 4 + np.arange(width // 4)]

    def store(self, at, width, words):
        if width < 4:
            bytes_ = np.ascontiguousarray(words[:, :1]).view(np.uint8)[:, :width]
            self.bytes[at[:, None] + np.arange(width)] = bytes_
        else:
            self.bytes.view(U32)[at[:, None] // 4 + np.arange(width // 4)] = words


def width_of(i):
    only(i, *CACHE_HINTS, *WIDTHS)
    return next((WIDTHS[m] for m in i.modifiers if m in WIDTHS), 4)


def put_loaded(machine, i, result, lanes, words):
    sign_bits = {"S8": 24, "S16": 16}
    for modifier in i.modifiers:
        if modifier in sign_bits:
            shift = sign_bits[modifier]
            words = ((words << U32(shift)).view(np.int32) >> np.int32(shift)).view(U32)
    for k in range(words.shape[1]):
        machine.put_lanes(result, k, lanes, words[:, k])


def access(machine, i, mask, memory, address, stores):
    width = width_of(i)
    lanes = np.flatnonzero(mask)
    at = address[lanes] - memory.base
    good = memory.check(machine, i, lanes, at, width, stores)
    lanes, at = lanes[good], at[good]
    count = max(width // 4, 1)
    if stores:
        words = [machine.register(i.operands[1], k)[lanes] for k in range(count)]
        memory.store(at, width, np.stack(words, axis=1))
    else:
        put_loaded(machine, i, i.operands[0], lanes, memory.load(at, width))


def access_private(machine, i, mask, address, stores):
    """A work-item's own memory: nobody else's."""
    width = width_of(i)
    lanes = np.flatnonzero(mask)
    at = address[lanes]
    if width < 4:
        raise NotKnown(i.text)
    if (at % width != 0).any() or (at < 0).any() or (at + width > machine.private_bytes).any():
        machine.fault("access outside of private memory", i, lanes)
        return
    for k in range(width // 4):
        words = at // 4 + k
        if stores:
            machine.private[lanes, words] = machine.register(i.operands[1], k)[lanes]
        else:
            machine.put_lanes(i.operands[0], k, lanes, machine.private[lanes, words])


def operand_of_address(i, stores):
    return i.operands[0 if stores else 1]


def in_local(stores):
    def run(machine, i, mask):
        if mask.any():
            address = machine.address(operand_of_address(i, stores), False)
            access(machine, i, mask, machine.local, address, stores)
    return run


def in_private(stores):
    def run(machine, i, mask):
        if mask.any():
            address = machine.address(operand_of_address(i, stores), False)
            access_private(machine, i, mask, address, stores)
    return run


def anywhere(stores):
    """Global memory, or the window that private memory is seen through."""
    def run(machine, i, mask):
        address = machine.address(operand_of_address(i, stores), True)
        private = mask & (address >= machine.PRIVATE_WINDOW)
        if private.any():
            access_private(machine, i, private, address - machine.PRIVATE_WINDOW, stores)
        if (mask & ~private).any():
            access(machine, i, mask & ~private, machine.memory, address, stores)
    return run


def ldc(machine, i, mask):
    only(i, "64", "U8", "U16")
    if i.name == "ULDC" or not {"U8", "U16"} & set(i.modifiers):
        put = machine.put_wide if "64" in i.modifiers else machine.put
        value = machine.constant(i.operands[1], 8 if "64" in i.modifiers else 4)
        put(i.operands[0], value.view(U64 if "64" in i.modifiers else U32), mask)
    else:
        raise NotKnown(i.text)


def ldsm(machine, i, mask):
    """Matrices of 8 x 8 halves: of matrix k, lane 8 k + r says where row r lies; lane 4 g + t gets
    of row g, or of column g where it is transposed, 2 t and 2 t + 1."""
    only(i, "16", "M88", "MT88", "1", "2", "4")
    count = int(i.modifiers[-1])
    address = machine.address(i.operands[1], False).reshape(-1, 32)
    active = machine.whole_warps(mask)
    if not (mask == active).all():
        machine.fault("matrix load of a part of a warp", i)
    lane = np.arange(32)
    for k in range(count):
        rows = address[:, 8 * k:8 * k + 8]
        said_by = (np.arange(0, machine.lanes, 32)[:, None] + np.arange(8 * k, 8 * k + 8))
        warps = active.reshape(-1, 32)[:, 0]
        lanes, at = said_by[warps].ravel(), rows[warps].ravel() - machine.local.base
        good = machine.local.check(machine, i, lanes, at, 16, False)
        words = np.full((len(at), 4), 0xffffffff, U32)
        words[good] = machine.local.load(at[good], 16)
        matrix = np.ascontiguousarray(words).view(np.uint16).reshape(-1, 8, 8)
        matrix = matrix.transpose(0, 2, 1) if "MT88" in i.modifiers else matrix
        pair = [matrix[:, lane // 4, 2 * (lane % 4) + j].astype(U32) for j in (0, 1)]
        value = (pair[0] | pair[1] << U32(16)).ravel()
        machine.put_lanes(i.operands[0], k, np.flatnonzero(active), value)


TABLE = {"LDS": in_local(False), "STS": in_local(True), "LDL": in_private(False),
         "STL": in_private(True), "LDG": anywhere(False), "STG": anywhere(True),
         "LD": anywhere(False), "ST": anywhere(True), "LDC": ldc, "LDSM": ldsm}
