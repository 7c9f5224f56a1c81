"""Instructions on integers, predicates and moves. A function gets the machine, the instruction and
the work-items that execute it; what is uniform (UIADD3) does the same in other registers."""
import numpy as np

from sass import NotKnown

U32, U64 = np.uint32, np.uint64
LOW = U64(0xffffffff)
LOGIC = {"AND": np.bitwise_and, "OR": np.bitwise_or, "XOR": np.bitwise_xor}
COMPARE = {"GE": np.greater_equal, "GT": np.greater, "LE": np.less_equal, "LT": np.less,
           "EQ": np.equal, "NE": np.not_equal}


def only(instruction, *known):
    unknown = set(instruction.modifiers) - set(known)
    if unknown:
        raise NotKnown(f"{instruction.text}: .{' .'.join(sorted(unknown))}")


def take_predicates(operands):
    """Predicates that a result has beside its register."""
    taken = []
    while operands and operands[0].kind in ("P", "UP"):
        taken.append(operands.pop(0))
    return taken


def low_word(x):
    return (x & LOW).astype(U32)


def signed(x):
    return x.view(np.int32).astype(np.int64).view(U64)


def mov(machine, i, mask):
    only(i)
    machine.put(i.operands[0], machine.word(i.operands[1]), mask)


def cs2r(machine, i, mask):
    only(i, "32")
    if i.operands[1].text != "SRZ":
        raise NotKnown(i.text)
    put = machine.put if "32" in i.modifiers else machine.put_wide
    put(i.operands[0], np.zeros(1, U32 if "32" in i.modifiers else U64), mask)


def s2r(machine, i, mask):
    only(i)
    machine.put(i.operands[0], machine.special(i.operands[1].text), mask)


def r2ur(machine, i, mask):
    only(i)
    result = [o for o in i.operands if o.kind == "UR"][0]
    first = machine.of_first_lane(machine.word(i.operands[-1]), mask)
    machine.put(result, first, machine.whole_warps(mask))


def voteu(machine, i, mask):
    only(i, "ANY", "ALL")
    votes = machine.predicate(i.operands[-1])
    votes = votes & mask if "ANY" in i.modifiers else votes | ~mask
    votes = votes.reshape(-1, 32)
    said = votes.any(axis=1) if "ANY" in i.modifiers else votes.all(axis=1)
    for result in i.operands[:-1]:
        if result.kind == "UR" and result.index != 63:
            raise NotKnown(i.text)
        if result.kind == "UP":
            machine.put_predicate(result, np.repeat(said, 32), machine.whole_warps(mask))


def p2r(machine, i, mask):
    only(i)
    result, _, base, wanted = i.operands
    bits = np.zeros(machine.lanes, U32)
    for k in range(7):
        bits |= machine.P[k].astype(U32) << U32(k)
    keep = machine.word(wanted)
    machine.put(result, (bits & keep) | (machine.word(base) & ~keep), mask)


def r2p(machine, i, mask):
    only(i)
    bits, wanted = machine.word(i.operands[1]), int(i.operands[2].value)
    for k in range(7):
        if wanted >> k & 1:
            np.copyto(machine.P[k], (bits >> U32(k) & U32(1)).astype(bool), where=mask)


def as_addend(machine, operand):
    """A negative one as the complement and one more, whose carry counts."""
    value = machine.word_unsigned(operand).astype(U64)
    return (~value & LOW) + U64(1) if operand.negated else value


def iadd3(machine, i, mask):
    only(i, "X")
    result, *rest = i.operands
    carries = take_predicates(rest)
    total = sum(as_addend(machine, o) for o in rest[:3])
    for carry in rest[3:] if "X" in i.modifiers else []:
        total = total + machine.predicate(carry).astype(U64)
    machine.put(result, low_word(total), mask)
    for k, carry in enumerate(carries):
        machine.put_predicate(carry, total >> U64(32) > U64(k), mask)


def imad(machine, i, mask):
    only(i, "U32", "MOV", "IADD", "SHL", "WIDE", "HI", "X")
    result, *rest = i.operands
    carry = take_predicates(rest)
    a, b = machine.word(rest[0]), machine.word(rest[1])
    widen = (lambda x: x.astype(U64)) if "U32" in i.modifiers else signed
    product = widen(a) * widen(b)
    if "WIDE" in i.modifiers or "HI" in i.modifiers:
        addend = machine.wide(rest[2])
        total = product + addend
        out = total < addend
        if "WIDE" in i.modifiers:
            machine.put_wide(result, total, mask)
        else:
            machine.put(result, low_word(total >> U64(32)), mask)
    else:
        total = (product & LOW) + as_addend(machine, rest[2])
        if "X" in i.modifiers:
            total = total + machine.predicate(rest[3]).astype(U64)
        machine.put(result, low_word(total), mask)
        out = total >> U64(32) > U64(0)
    for p in carry:
        machine.put_predicate(p, out, mask)


def lea(machine, i, mask):
    only(i, "HI", "X", "SX32")
    result, *rest = i.operands
    carry = take_predicates(rest)
    if "HI" not in i.modifiers:
        shift = U64(rest[2].value)
        value = (as_addend(machine, rest[0]) << shift) & LOW
    elif "SX32" in i.modifiers:
        shifted = signed(machine.word(rest[0])).view(np.int64) << np.int64(rest[2].value)
        value = low_word((shifted >> np.int64(32)).view(U64)).astype(U64)
        rest.insert(2, rest[2])
    else:
        both = machine.word(rest[2]).astype(U64) << U64(32) | machine.word(rest[0]).astype(U64)
        value = both << U64(rest[3].value) >> U64(32)
    total = value + machine.word(rest[1]).astype(U64)
    if "X" in i.modifiers:
        total = total + machine.predicate(rest[4 if "HI" in i.modifiers else 3]).astype(U64)
    machine.put(result, low_word(total), mask)
    for p in carry:
        machine.put_predicate(p, total >> U64(32) > U64(0), mask)


def shf(machine, i, mask):
    only(i, "L", "R", "W", "U32", "S32", "U64", "S64", "HI")
    result, a, count, c = i.operands
    low, high = machine.word(a).astype(U64), machine.word(c)
    count = machine.word(count).astype(U64)
    bits = U64(64 if "U64" in i.modifiers or "S64" in i.modifiers else 32)
    count = count & (bits - U64(1)) if "W" in i.modifiers else np.minimum(count, bits)
    count = np.minimum(count, U64(63))
    both = high.astype(U64) << U64(32) | low
    if "L" in i.modifiers:
        moved = both << count if "HI" in i.modifiers else low << count
    elif "S32" in i.modifiers or "S64" in i.modifiers:
        moved = (both.view(np.int64) >> count.view(np.int64)).view(U64)
    else:
        moved = both >> count
    machine.put(result, low_word(moved >> U64(32) if "HI" in i.modifiers else moved), mask)


def sgxt(machine, i, mask):
    only(i, "U32", "W")
    width = int(i.operands[2].value)
    value = machine.word(i.operands[1]) << U32(32 - width)
    value = value >> U32(32 - width) if "U32" in i.modifiers else \
        (value.view(np.int32) >> np.int32(32 - width)).view(U32)
    machine.put(i.operands[0], value, mask)


def look_up(a, b, c, table):
    result = a & ~a
    for k in range(8):
        if table >> k & 1:
            result = result | ((a if k & 4 else ~a) & (b if k & 2 else ~b) & (c if k & 1 else ~c))
    return result


def lop3(machine, i, mask):
    only(i, "LUT")
    rest = list(i.operands)
    said = take_predicates(rest)
    result, a, b, c, table, or_ = rest
    value = look_up(machine.word(a), machine.word(b), machine.word(c), int(table.value))
    machine.put(result, value, mask)
    for p in said:
        machine.put_predicate(p, (value != 0) | machine.predicate(or_), mask)


def plop3(machine, i, mask):
    only(i, "LUT")
    first, second, a, b, c, *tables = i.operands
    values = [machine.predicate(p) for p in (a, b, c)]
    for result, table in zip((first, second), tables):
        machine.put_predicate(result, look_up(*values, int(table.value)), mask)


def isetp(machine, i, mask):
    only(i, "U32", "EX", *LOGIC, *COMPARE)
    yes, no, a, b, with_ = i.operands[:5]
    kind = i.modifiers[0]
    a, b = machine.word(a), machine.word(b)
    if "U32" not in i.modifiers:
        a, b = a.view(np.int32), b.view(np.int32)
    said = COMPARE[kind](a, b)
    if "EX" in i.modifiers:  # the upper words; the last predicate is of the lower ones
        below = machine.predicate(i.operands[5])
        if kind == "NE":
            said = said | below
        elif kind == "EQ":
            said = said & below
        else:
            said = COMPARE[kind[0] + "T"](a, b) | ((a == b) & below)
    join = LOGIC[next(m for m in i.modifiers if m in LOGIC)]
    with_ = machine.predicate(with_)
    machine.put_predicate(yes, join(said, with_), mask)
    machine.put_predicate(no, join(~said, with_), mask)


def sel(machine, i, mask):
    only(i)
    result, a, b, which = i.operands
    machine.put(result, np.where(machine.predicate(which), machine.word(a), machine.word(b)), mask)


def imnmx(machine, i, mask):
    only(i, "U32")
    result, a, b, least = i.operands
    a, b = machine.word(a), machine.word(b)
    if "U32" not in i.modifiers:
        a, b = a.view(np.int32), b.view(np.int32)
    value = np.where(machine.predicate(least), np.minimum(a, b), np.maximum(a, b))
    machine.put(result, value.view(U32), mask)


def iabs(machine, i, mask):
    only(i)
    machine.put(i.operands[0], np.abs(machine.word(i.operands[1]).view(np.int32)).view(U32), mask)


def flo(machine, i, mask):
    only(i, "U32", "SH")
    value = machine.word(i.operands[1]).astype(np.float64)
    highest = np.where(value > 0, np.floor(np.log2(np.maximum(value, 1))), -1).astype(np.int32)
    if "SH" in i.modifiers:
        highest = np.where(highest < 0, -1, 31 - highest).astype(np.int32)
    machine.put(i.operands[0], highest.view(U32), mask)


def popc(machine, i, mask):
    only(i)
    value = machine.word(i.operands[1])
    bits = sum(value >> U32(k) & U32(1) for k in range(32))
    machine.put(i.operands[0], bits, mask)


def prmt(machine, i, mask):
    only(i)
    result, a, which, b = i.operands
    both = machine.word(b).astype(U64) << U64(32) | machine.word(a).astype(U64)
    which, value = machine.word(which), U64(0)
    for k in range(4):
        choice = which >> U32(4 * k) & U32(15)
        byte = both >> ((choice & U32(7)).astype(U64) * U64(8)) & U64(255)
        sign = np.where(byte & U64(128), U64(255), U64(0))
        value = value | np.where(choice & U32(8), sign, byte) << U64(8 * k)
    machine.put(result, value.astype(U32), mask)


def shfl(machine, i, mask):
    only(i, "BFLY", "IDX")
    said, result, value, other, clamp = i.operands
    if int(clamp.value) != 0x1f or said.index != 7:
        raise NotKnown(i.text)
    lane = np.arange(machine.lanes)
    other = machine.word(other).astype(np.int64)
    source = lane ^ other if "BFLY" in i.modifiers else lane & ~31 | other
    value = np.broadcast_to(machine.word(value), (machine.lanes,))
    if (~mask[source] & mask).any():
        machine.fault("shuffle from a work-item that does not take part", i)
    machine.put(result, value[source], mask)


TABLE = {"MOV": mov, "CS2R": cs2r, "S2R": s2r, "S2UR": s2r, "R2UR": r2ur, "VOTEU": voteu,
         "P2R": p2r, "R2P": r2p, "IADD3": iadd3, "IMAD": imad, "LEA": lea, "SHF": shf,
         "SGXT": sgxt, "LOP3": lop3, "PLOP3": plop3, "ISETP": isetp, "SEL": sel, "IMNMX": imnmx,
         "IABS": iabs, "FLO": flo, "POPC": popc, "PRMT": prmt, "SHFL": shfl}
