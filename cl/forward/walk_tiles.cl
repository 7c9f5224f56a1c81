/* How many tiles of up to `size` keys the walk takes. They are counted first, since a loop
 * around barriers has to be a plain one. */
INLINE int walk_tiles(sqa_walk walk, const int size)
{
    int tiles = 0;
    while (sqa_walk_next(&walk))
        tiles += (walk.end - walk.begin + size - 1) / size;
    return tiles;
}
