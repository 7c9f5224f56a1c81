"""One work-group of an sm_80 GPU, all its work-items in step: at each step those at the earliest
instruction execute it. What the kernel may not do becomes a fault: races between barriers, stray
and misaligned accesses, barriers that not all reach. Time is not modelled."""
import struct
from collections import Counter

import numpy as np

import copies
import floating
import integer
import memory
from integer import U32, U64
from sass import NotKnown

np.seterr(all="ignore")
INSTRUCTIONS = {**integer.TABLE, **floating.TABLE, **memory.TABLE,
                **copies.TABLE}
IDLE = {"NOP", "YIELD", "WARPSYNC", "ERRBAR", "MEMBAR", "CCTL"}
PARAMETERS = 0x160  # where a kernel's arguments begin in constant bank 0


class Machine:
    PRIVATE_WINDOW = 0x7f0000000000

    def __init__(self, program, arguments, global_memory, group, groups, size,
                 private_bytes=4096):
        """`group` of so many `groups` of `size` work-items, three numbers each."""
        self.program, self.memory = program, global_memory
        self.local = memory.Memory(program.local_bytes)
        self.items = size[0] * size[1] * size[2]
        self.lanes = (self.items + 31) // 32 * 32
        self.group, item = group, np.arange(self.lanes)
        self.item = (item % size[0], item // size[0] % size[1], item // (size[0] * size[1]))
        self.R = np.full((256, self.lanes), 0xffffffff, U32)
        self.UR = np.full((64, self.lanes), 0xffffffff, U32)
        self.R[255] = self.UR[63] = 0
        self.P, self.UP = np.zeros((8, self.lanes), bool), np.zeros((8, self.lanes), bool)
        self.P[7] = self.UP[7] = True
        self.private_bytes = private_bytes
        self.private = np.full((self.lanes, private_bytes // 4), 0xffffffff, U32)
        self.banks = dict(program.constants)
        self.banks[0] = self.bank_of_arguments(arguments, groups, size)
        self.alive = item < self.items
        self.pc = np.zeros(self.lanes, int)
        self.meets_at = np.full(self.lanes, -1)  # the BSYNC that a work-item waits at
        self.at_barrier = np.full(self.lanes, -1)  # the barrier that it waits at
        self.meetings = {}
        self.copies = copies.Copies(self.lanes)
        self.epoch, self.faults, self.executed = 0, [], Counter()

    def bank_of_arguments(self, arguments, groups, size):
        bank = bytearray(PARAMETERS) + bytearray(arguments) + bytearray(16)
        struct.pack_into("<IIIIII", bank, 0, *size, *groups)
        struct.pack_into("<QI", bank, 0x20, self.PRIVATE_WINDOW, self.private_bytes)
        return np.frombuffer(bytes(bank), np.uint8)

    def fault(self, what, i, lanes=None):
        """Once for what an instruction does wrong."""
        if not any(f[:2] == (what, i.index) for f in self.faults):
            who = "" if lanes is None else f" (work-item {lanes[0]})"
            self.faults.append((what, i.index, f"{what}: {i.text}{who}"))

    # Operands.

    def register(self, operand, further=0):
        if operand.kind not in ("R", "UR"):
            raise NotKnown(f"a register from {operand.text}")
        file, zero = (self.R, 255) if operand.kind == "R" else (self.UR, 63)
        return file[zero if operand.index == zero else operand.index + further]

    def constant(self, operand, size):
        bank, place = operand.value
        at = self.address(place, False)[:, None] + np.arange(size)
        if (at[0] == at).all():
            at = at[:1]
        return np.ascontiguousarray(self.banks[bank][at]).view(U32 if size == 4 else U64)[:, 0]

    def word_unsigned(self, operand):
        """Without a minus that stands before it."""
        if operand.kind in ("R", "UR"):
            value = self.register(operand)
            if operand.half >= 0:
                value = value >> U32(16 * operand.half) & U32(0xffff)
        elif operand.kind == "immediate":
            value = np.array([operand.value], U32)
        elif operand.kind == "constant":
            value = self.constant(operand, 4)
        else:
            raise NotKnown(f"a word from {operand.text}")
        return ~value if operand.inverted else value

    def word(self, operand):
        value = self.word_unsigned(operand)
        return U32(0) - value if operand.negated else value

    def real(self, operand):
        bits = self.word_unsigned(operand)
        if operand.absolute:
            bits = bits & U32(0x7fffffff)
        if operand.negated:
            bits = bits ^ U32(0x80000000)
        return bits.view(np.float32)

    def wide(self, operand):
        if operand.kind in ("R", "UR"):
            low, high = (self.register(operand, k).astype(U64) for k in (0, 1))
            value = high << U64(32) | low
        elif operand.kind == "constant":
            value = self.constant(operand, 8)
        else:
            value = np.array([operand.value], U64)
        value = ~value if operand.inverted else value
        return U64(0) - value if operand.negated else value

    def predicate(self, operand):
        if operand.kind not in ("P", "UP"):
            raise NotKnown(f"a predicate from {operand.text}")
        value = (self.P if operand.kind == "P" else self.UP)[operand.index]
        return ~value if operand.negated else value

    def address(self, operand, is_wide):
        """Of every work-item, as 64 bits with a sign."""
        total = np.zeros(self.lanes, np.int64)
        for sign, part, scale, wide, unsigned in operand.parts:
            if isinstance(part, int):
                total = total + sign * part
            elif wide or (is_wide and part.kind == "UR"):
                total = total + sign * self.wide(part).view(np.int64)
            else:
                value = self.register(part)
                value = value if unsigned else value.view(np.int32)
                total = total + sign * scale * value.astype(np.int64)
        return total

    def special(self, name):
        if name.startswith("SR_TID."):
            return self.item["XYZ".index(name[-1])].astype(U32)
        if name.startswith("SR_CTAID."):
            return np.array([self.group["XYZ".index(name[-1])]], U32)
        if name == "SR_LANEID":
            return (np.arange(self.lanes) % 32).astype(U32)
        raise NotKnown(name)

    # Results.

    def put(self, operand, value, mask):
        self.put_register(operand, 0, value, mask)

    def put_register(self, operand, further, value, mask):
        if operand.index != (255 if operand.kind == "R" else 63):
            np.copyto(self.register(operand, further), value, where=mask)

    def put_lanes(self, operand, further, lanes, value):
        if operand.index != (255 if operand.kind == "R" else 63):
            self.register(operand, further)[lanes] = value

    def put_wide(self, operand, value, mask):
        self.put_register(operand, 0, integer.low_word(value), mask)
        self.put_register(operand, 1, integer.low_word(value >> U64(32)), mask)

    def put_real(self, operand, value, mask):
        self.put(operand, value.astype(np.float32).view(U32), mask)

    def put_predicate(self, operand, value, mask):
        if operand.index != 7:
            file = self.P if operand.kind == "P" else self.UP
            np.copyto(file[operand.index], value, where=mask)

    # Warps.

    def whole_warps(self, mask):
        return np.repeat(mask.reshape(-1, 32).any(axis=1), 32)

    def of_first_lane(self, value, mask):
        """What each warp's first work-item of the mask has."""
        value = np.broadcast_to(value, (self.lanes,)).reshape(-1, 32)
        first = mask.reshape(-1, 32).argmax(axis=1)
        return np.repeat(value[np.arange(len(value)), first], 32)

    # Control.

    def meet(self, name, index):
        """Who waits at a BSYNC goes on when all of the warp that are to come are there."""
        here = self.meets_at == index
        missing = self.meetings[name] & self.alive & ~here
        ready = here & ~self.whole_warps(missing)
        self.meets_at[ready] = -1
        self.pc[ready] = index + 1

    def meet_all(self):
        """Again, after others of the warp ended. Whether one goes on."""
        for index in set(self.meets_at[self.alive & (self.meets_at >= 0)]):
            self.meet(self.program.instructions[index].operands[0].text, index)
        return (self.alive & (self.meets_at < 0) & (self.at_barrier < 0)).any()

    def pass_barrier(self):
        reached = self.at_barrier >= 0
        last = self.program.instructions[self.at_barrier.max()]
        if (~reached[:self.items]).any() or len(set(self.at_barrier[reached])) > 1:
            self.fault("barrier that not all work-items reach", last)
        self.at_barrier[:] = -1
        self.epoch += 1

    def jump(self, i, active, mask):
        """Instructions that change what is executed next. Whether this is one."""
        following = i.index + 1
        if i.name in ("BRA", "CALL"):
            if i.modifiers[:1] == ("DIV",):
                mask = mask & self.whole_warps(~mask & self.whole_warps(mask))
            elif i.operands[0].kind in ("P", "UP"):
                mask = mask & self.predicate(i.operands[0])
            self.pc[active] = following
            self.pc[mask] = self.program.labels[i.operands[-1].value]
        elif i.name == "RET":
            self.pc[active] = following
            self.pc[mask] = self.register(i.operands[0])[mask] // 16
        elif i.name == "EXIT":
            self.alive &= ~mask
            self.pc[active] = following
        elif i.name == "BSSY":
            group = self.meetings.setdefault(i.operands[0].text, np.zeros(self.lanes, bool))
            np.copyto(group, active, where=self.whole_warps(active))
            self.pc[active] = following
        elif i.name == "BREAK":
            self.meetings[i.operands[-1].text] &= ~mask
            self.pc[active] = following
        elif i.name == "BSYNC":
            self.meets_at[active] = i.index
            self.meet(i.operands[0].text, i.index)
        elif i.name == "BAR":
            if i.modifiers[0] != "SYNC" or i.operands[0].text != "0x0":
                raise NotKnown(i.text)
            self.at_barrier[mask] = i.index
            self.pc[active] = following
        else:
            return False
        return True

    def step(self, active):
        i = self.program.instructions[self.pc[active][0]]
        mask = active if i.guard is None else active & self.predicate(i.guard)
        self.executed[i.name] += 1
        if self.jump(i, active, mask):
            return
        run = INSTRUCTIONS.get(i.name)
        if not run and i.name[0] == "U":
            run, mask = INSTRUCTIONS.get(i.name[1:]), self.whole_warps(mask)
        if run:
            run(self, i, mask)
        elif i.name not in IDLE:
            raise NotKnown(i.text)
        self.pc[active] = i.index + 1

    def run(self, limit=10_000_000):
        """To the end. `limit`: so many steps."""
        for _ in range(limit):
            live = self.alive & (self.meets_at < 0) & (self.at_barrier < 0)
            if live.any():
                self.step(live & (self.pc == self.pc[live].min()))
            elif (self.at_barrier >= 0).any() and not self.meet_all():
                self.pass_barrier()
            elif not self.meet_all():
                break
        else:
            raise NotKnown(f"no end after {limit} steps")
        if self.alive.any():
            stuck = self.meets_at[self.alive].max()
            self.fault("work-items that wait for ever", self.program.instructions[stuck])
