"""Instructions on floating-point numbers and matrices of them. Single precision is computed in
double and rounded once, which is right but for rare ties of a fused multiply-add; functions (MUFU)
are better than a GPU's."""
import numpy as np

from integer import COMPARE, LOGIC, U32, U64, only
from sass import NotKnown

F32, F64 = np.float32, np.float64


def rounded(x, modifiers):
    """To single precision: to the nearest, or down, up or to zero."""
    near = x.astype(F32)
    if "RM" in modifiers:
        near = np.where(near > x, np.nextafter(near, F32(-np.inf)), near)
    elif "RP" in modifiers:
        near = np.where(near < x, np.nextafter(near, F32(np.inf)), near)
    elif "RZ" in modifiers:
        near = np.where(np.abs(near) > np.abs(x), np.nextafter(near, F32(0)), near)
    if "SAT" in modifiers:
        near = np.where(np.isnan(near), F32(0), np.clip(near, F32(0), F32(1)))
    if "FTZ" in modifiers:
        near = np.where(np.abs(near) < np.finfo(F32).tiny, np.copysign(F32(0), near), near)
    return near.astype(F32)


ROUNDING = ("FTZ", "RM", "RP", "RZ", "RN", "SAT")


def fadd(machine, i, mask):
    only(i, *ROUNDING)
    a, b = (machine.real(o).astype(F64) for o in i.operands[1:])
    machine.put_real(i.operands[0], rounded(a + b, i.modifiers), mask)


def fmul(machine, i, mask):
    only(i, *ROUNDING)
    a, b = (machine.real(o).astype(F64) for o in i.operands[1:])
    machine.put_real(i.operands[0], rounded(a * b, i.modifiers), mask)


def ffma(machine, i, mask):
    only(i, *ROUNDING)
    a, b, c = (machine.real(o).astype(F64) for o in i.operands[1:])
    machine.put_real(i.operands[0], rounded(a * b + c, i.modifiers), mask)


def fsetp(machine, i, mask):
    only(i, "FTZ", "NUM", "NAN", *LOGIC, *COMPARE, *(kind + "U" for kind in COMPARE))
    yes, no, a, b, with_ = i.operands
    a, b, kind = machine.real(a), machine.real(b), i.modifiers[0]
    unordered = np.isnan(a) | np.isnan(b)
    if kind in ("NUM", "NAN"):
        said = ~unordered if kind == "NUM" else unordered
    elif kind.endswith("U"):
        said = COMPARE[kind[:-1]](a, b) | unordered
    else:
        said = COMPARE[kind](a, b) & ~unordered
    join = LOGIC[next(m for m in i.modifiers if m in LOGIC)]
    with_ = machine.predicate(with_)
    machine.put_predicate(yes, join(said, with_), mask)
    machine.put_predicate(no, join(~said, with_), mask)


def fsel(machine, i, mask):
    only(i, "FTZ")
    result, a, b, which = i.operands
    machine.put_real(result, np.where(machine.predicate(which), machine.real(a), machine.real(b)),
                     mask)


def fmnmx(machine, i, mask):
    only(i, "NAN", "FTZ")
    result, a, b, least = i.operands
    a, b = machine.real(a), machine.real(b)
    value = np.where(machine.predicate(least), np.fmin(a, b), np.fmax(a, b))
    if "NAN" in i.modifiers:
        value = np.where(np.isnan(a) | np.isnan(b), F32(np.nan), value)
    machine.put_real(result, value, mask)


def fchk(machine, i, mask):
    """Whether a quotient needs more care than the short way takes."""
    only(i, "DIVIDE")
    a, b = (np.abs(machine.real(o).astype(F64)) for o in i.operands[1:3])
    quotient = a / b
    easy = (a > 2.0 ** -100) & (a < 2.0 ** 126) & (b > 2.0 ** -126) & (b < 2.0 ** 126) & \
        (quotient > 2.0 ** -126) & (quotient < 2.0 ** 126)
    machine.put_predicate(i.operands[0], ~easy, mask)


FUNCTIONS = {"EX2": np.exp2, "RCP": np.reciprocal, "LG2": np.log2, "TANH": np.tanh,
             "RSQ": lambda x: 1 / np.sqrt(x), "SQRT": np.sqrt}


def mufu(machine, i, mask):
    only(i, *FUNCTIONS)
    value = FUNCTIONS[i.modifiers[0]](machine.real(i.operands[1]).astype(F64))
    machine.put_real(i.operands[0], value.astype(F32), mask)


def half_bits(x):
    return x.astype(np.float16).view(np.uint16).astype(U32)


def bfloat_bits(x):
    bits = x.view(U32).astype(U64)
    even = (bits + U64(0x7fff) + (bits >> U64(16) & U64(1))) >> U64(16)
    return np.where(np.isnan(x), U32(0x7fff), even.astype(U32))


def hfma2(machine, i, mask):
    """As compilers use it: to put two halves into a register."""
    only(i, "MMA", "BF16_V2")
    result, a, b, *halves = i.operands
    if a.text.lstrip("-") != "RZ" or b.text != "RZ" or "BF16_V2" in i.modifiers:
        raise NotKnown(i.text)
    high, low = (int(np.float16(float(h.text)).view(np.uint16)) for h in halves)
    machine.put(result, np.array([high << 16 | low], U32), mask)


def hadd2(machine, i, mask):
    """As compilers use it: to widen a half."""
    only(i, "F32")
    result, zero, value = i.operands
    if "F32" not in i.modifiers or zero.text != "-RZ" or value.negated or value.absolute:
        raise NotKnown(i.text)
    bits = machine.word_unsigned(value).astype(np.uint16)
    machine.put_real(result, bits.view(np.float16).astype(F32), mask)


def hsetp2(machine, i, mask):
    """As compilers use it: to find out whether a half is NaN."""
    only(i, "NAN", "AND")
    yes, no, a, b, with_ = i.operands
    if i.modifiers[0] != "NAN" or a.half < 0 or a.text != b.text or no.text != "PT" or \
            with_.text != "PT":
        raise NotKnown(i.text)
    bits = machine.word_unsigned(a).astype(np.uint16)
    machine.put_predicate(yes, np.isnan(bits.view(np.float16)), mask)


def f2f(machine, i, mask):
    if i.modifiers[:2] != ("F16", "F32"):
        raise NotKnown(i.text)
    machine.put(i.operands[0], half_bits(machine.real(i.operands[1])), mask)


def f2fp(machine, i, mask):
    only(i, "PACK_AB", "F16", "BF16", "F32")
    bits = bfloat_bits if "BF16" in i.modifiers else half_bits
    high, low = (bits(np.ascontiguousarray(machine.real(o))) for o in i.operands[1:])
    machine.put(i.operands[0], high << U32(16) | low, mask)


def i2f(machine, i, mask):
    only(i, "U32", "S32", "U64", "RP", "RZ")
    wide = "U64" in i.modifiers
    value = machine.wide(i.operands[1]) if wide else machine.word(i.operands[1])
    if not wide and "U32" not in i.modifiers:
        value = value.view(np.int32)
    machine.put_real(i.operands[0], rounded(value.astype(F64), i.modifiers), mask)


def f2i(machine, i, mask):
    only(i, "FTZ", "U32", "S32", "U64", "TRUNC", "FLOOR", "NTZ")
    value = machine.real(i.operands[1]).astype(F64)
    value = np.floor(value) if "FLOOR" in i.modifiers else np.trunc(value)
    value = np.where(np.isnan(value), 0, value)
    if "U64" in i.modifiers:
        machine.put_wide(i.operands[0], np.clip(value, 0, 2.0 ** 63).astype(U64), mask)
    elif "U32" in i.modifiers:
        machine.put(i.operands[0], np.clip(value, 0, 2.0 ** 32 - 1).astype(U32), mask)
    else:
        whole = np.clip(value, -2.0 ** 31, 2.0 ** 31 - 1).astype(np.int32)
        machine.put(i.operands[0], whole.view(U32), mask)


def frnd(machine, i, mask):
    """To a whole number, as a float."""
    only(i, "FTZ", "TRUNC", "FLOOR", "CEIL")
    round_ = {"TRUNC": np.trunc, "FLOOR": np.floor, "CEIL": np.ceil}
    how = next((round_[m] for m in i.modifiers if m in round_), np.rint)
    machine.put_real(i.operands[0], how(machine.real(i.operands[1])), mask)


def elements(words, i):
    """A matrix product's numbers of a word: (lower, upper), or one."""
    if "TF32" in i.modifiers:
        return ((words & U32(0xffffe000)).view(F32).astype(F64),)
    low, high = words & U32(0xffff), words >> U32(16)
    if "BF16" in i.modifiers:
        return tuple((h << U32(16)).view(F32).astype(F64) for h in (low, high))
    return tuple(h.astype(np.uint16).view(np.float16).astype(F64) for h in (low, high))


def hmma(machine, i, mask):
    """A 16 x 16 times 16 x 8 product a warp, added to. Lane 4 g + t has of the first matrix rows g
    and g + 8 at columns 2 t, 2 t + 1 and those 8 further, of the second column g at such rows,
    of the result rows g and g + 8 at columns 2 t, 2 t + 1. With TF32 16 x 8 times 8 x 8: columns t
    and t + 4, of numbers of which the lower 13 bits are not looked at."""
    only(i, "16816", "1688", "F32", "BF16", "TF32")
    tf32 = "TF32" in i.modifiers
    if ("1688" if tf32 else "16816") not in i.modifiers or "F32" not in i.modifiers:
        raise NotKnown(i.text)
    if not (mask == machine.whole_warps(mask)).all():
        machine.fault("matrix product of a part of a warp", i)
    result, a, b, c = i.operands
    lane = np.arange(32)
    g, t, warps = lane // 4, lane % 4, machine.lanes // 32
    each = 1 if tf32 else 2  # elements of a register
    left, right = np.zeros((warps, 16, 8 * each)), np.zeros((warps, 8 * each, 8))
    for k in range(4):
        for j, element in enumerate(elements(machine.register(a, k).reshape(warps, 32), i)):
            left[:, g + 8 * (k & 1), each * (t + 4 * (k >> 1)) + j] = element
    for k in range(2):
        for j, element in enumerate(elements(machine.register(b, k).reshape(warps, 32), i)):
            right[:, each * (t + 4 * k) + j, g] = element
    product = left @ right
    for k in range(4):
        add = machine.register(c, k).view(F32).astype(F64)
        total = product[:, g + 8 * (k >> 1), 2 * t + (k & 1)].reshape(-1) + add
        machine.put_register(result, k, total.astype(F32).view(U32), mask)


TABLE = {"FADD": fadd, "FMUL": fmul, "FFMA": ffma, "FSETP": fsetp, "FSEL": fsel, "FMNMX": fmnmx,
         "FCHK": fchk, "MUFU": mufu, "HFMA2": hfma2, "HADD2": hadd2, "HSETP2": hsetp2, "F2F": f2f,
         "F2FP": f2fp, "I2F": i2f, "I2FP": i2f, "F2I": f2i, "FRND": frnd, "HMMA": hmma}
