"""Who read and wrote what since the last barrier: two work-items at one place, of which one
writes, race. Pieces of two bytes."""
import numpy as np

SEVERAL = -2
PIECE = 2


class Watch:
    def __init__(self, size):
        pieces = (size + PIECE - 1) // PIECE
        self.written, self.read = np.full(pieces, -1), np.full(pieces, -1)  # the last epoch
        self.writer, self.reader = np.full(pieces, -1), np.full(pieces, -1)

    def note(self, start, width, who, stores, epoch):
        """`start`: byte offsets, `who`: the work-items, one of each per access of `width` bytes.
        Returns which accesses raced."""
        pieces = (start[:, None] + np.arange(0, width, PIECE)) // PIECE
        who = np.broadcast_to(who[:, None], pieces.shape)
        raced = (self.written[pieces] == epoch) & (self.writer[pieces] != who)
        if stores:
            raced |= (self.read[pieces] == epoch) & (self.reader[pieces] != who)
            self.writer[pieces] = who
            self.written[pieces] = epoch
            raced |= self.writer[pieces] != who  # two at once
        else:
            others = (self.read[pieces] == epoch) & (self.reader[pieces] != who)
            reader = np.where(others, SEVERAL, who)
            self.reader[pieces] = reader
            self.read[pieces] = epoch
            two = self.reader[pieces] != reader
            self.reader[pieces[two]] = SEVERAL
        return raced.any(axis=1)
