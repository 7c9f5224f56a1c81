"""A small problem for one work-group: tensors in memory with room between them, the arguments that
say where they are, and how far from double precision the results come out."""
import math

import numpy as np

from memory import Memory

BASE = 0x100000000
GAP = 64  # bytes between tensors that belong to none


def to_bfloat(x):
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7fff + (bits >> np.uint64(16) & np.uint64(1))) >> np.uint64(16)) \
        .astype(np.uint16)


INTEGERS = "integers"

# By SQA_DTYPE: how it is stored, to storage, from storage, rounding unit.
STORAGE = {
    0: (np.float32, lambda x: x.astype(np.float32), lambda x: x, 2.0 ** -24),
    1: (np.float16, lambda x: x.astype(np.float16), lambda x: x, 2.0 ** -11),
    2: (np.uint16, to_bfloat,
        lambda x: (x.astype(np.uint32) << np.uint32(16)).view(np.float32), 2.0 ** -8),
    INTEGERS: (np.int32, lambda x: x.astype(np.int32), lambda x: x, 0.0),
}


TF32 = 2.0 ** -11  # rounding unit of what products are of, where they are not of f32


def stored(x, storage):
    """What is left of numbers in storage."""
    _, store, restore, _ = STORAGE[storage]
    return restore(store(x)).astype(np.float64)


class Tensor:
    """Rows of [...][row][column] with room between rows and whatever has them. `tight`: without."""

    def __init__(self, shape, storage, spare, tight):
        self.kind, self.store, self.restore, self.unit = STORAGE[storage]
        self.item = np.dtype(self.kind).itemsize
        self.shape, self.offset = shape, 0 if tight else 2 * spare
        strides = [1]
        for n in shape[:0:-1]:
            strides.append(strides[-1] * n + (0 if tight else spare * (1 + len(strides) % 2)))
        self.strides = strides[::-1]
        self.at = np.array(self.offset)
        for n, stride in zip(shape, self.strides):
            self.at = np.add.outer(self.at, np.arange(n) * stride)
        self.bytes = (int(self.at.max()) + 1) * self.item
        self.place = 0

    def pieces(self, at):
        """The bytes of elements."""
        return at[..., None] * self.item + self.place + np.arange(self.item)


class Problem:
    """Of a kind: `KERNELS` names its kernels, `STRIDES` the arguments that tell of a tensor."""

    KERNELS, STRIDES = {}, ()
    TIGHT = ()  # tensors of f32 without room
    COUNTS = ()  # and of integers

    def lay_out(self, outputs, written, before=None):
        """Tensors are in self.values, all of them. Inputs may be read; of what the kernel has
        written of the outputs, the work-group's part may be, and known() be read where `before`
        says what it holds."""
        before = before or {}
        self.written = written
        names = [name[:-len("_buffer")] for name, kind in self.source.arguments
                 if kind == "pointer" and name.endswith("_buffer")]
        if "workspace" in self.values:  # whose place is an argument of that name
            names.append("workspace")
        self.tensors, size = {}, GAP
        for name in names:
            tight = name in self.TIGHT or name in self.COUNTS
            storage = INTEGERS if name in self.COUNTS else 0 if tight else self.storage
            tensor = Tensor(self.values[name].shape, storage, self.spare, tight)
            self.tensors[name] = tensor
            tensor.place = size
            size += (tensor.bytes + 2 * GAP - 1) // GAP * GAP
        self.memory = Memory(size, BASE, allowed=False)
        for name, tensor in self.tensors.items():
            if name not in outputs or name in before:  # the workspace may be written, too
                known = before.get(name, self.values[name])
                bits = np.ascontiguousarray(tensor.store(known)).view(np.uint8)
                pieces = tensor.pieces(tensor.at)
                self.memory.bytes[pieces] = bits.reshape(pieces.shape)
                readable = self.known(tensor.at) if name in before else tensor.at
                self.memory.may_read[tensor.pieces(readable)] = True
            if name in written:
                self.memory.may_write[tensor.pieces(self.own(tensor.at))] = True

    def own(self, x):
        """The work-group's part of an output."""
        raise NotImplementedError

    def known(self, x):
        """The part of an output that holds something before."""
        return self.own(x)

    def numbers(self):
        """Arguments by name, but for those of tensors."""
        raise NotImplementedError

    def arguments(self):
        values = self.numbers()
        for name, tensor in self.tensors.items():
            values[name if name == "workspace" else name + "_buffer"] = BASE + tensor.place
            values[name + "_offset"] = tensor.offset
            for stride, which in zip(tensor.strides, self.STRIDES):
                values[f"{name}_{which}"] = stride
        return self.source.pack(values)

    def error(self):
        """Of the work-group's results: the worst, as a part of the largest number, and what
        rounding excuses there."""
        worst, excused = 0.0, 1.0
        for name in self.written:
            tensor = self.tensors[name]
            bits = self.memory.bytes[tensor.pieces(self.own(tensor.at))]
            found = tensor.restore(bits.view(tensor.kind)[..., 0]).astype(np.float64)
            expected = self.own(self.values[name])
            error = np.abs(found - expected).max() / np.abs(expected).max()
            error = math.inf if math.isnan(error) else error
            rounding = 64 * tensor.unit if tensor.unit == 2.0 ** -24 else 2 * tensor.unit
            if self.source.shape.get("products") == "tf32":
                rounding = 2 * TF32
            if error / rounding >= worst / excused:
                worst, excused = error, rounding
        return worst, excused
