/* See workspace.h. */
#include "runtime/workspace.h"

#include "operations/recipe.h"
#include "operations/tensors.h"

/* Where scratch tensors begin, in bytes: as far as any device wants a buffer aligned. */
#define ALIGNMENT 256

typedef struct place {
    uint32_t first, last; /* stages */
    size_t begin, end;    /* bytes */
} place;

/* Of a tensor that no stage is linked to: none at all. */
static place life_of(const sqa_recipe *recipe, uint32_t scratch)
{
    place life = {SQA_MAX_STAGES, 0, 0, 0};
    for (uint32_t i = 0; i < recipe->stage_count; i++)
        for (uint32_t slot = 0; slot < SQA_MAX_TENSORS; slot++)
            if (recipe->stages[i].links[slot].from == SQA_LINK_SCRATCH((int)scratch)) {
                life.first = i < life.first ? i : life.first;
                life.last = i;
            }
    return life;
}

static bool collide(const place *a, const place *b)
{
    return a->first <= b->last && b->first <= a->last && a->begin < b->end && b->begin < a->end;
}

/* Behind the first of the others that it collides with, until it does with none. */
static void find_place(place *own, const place *others, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (collide(own, &others[i])) {
            const size_t size = own->end - own->begin;
            own->begin = (others[i].end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
            own->end = own->begin + size;
            i = (uint32_t)-1;
        }
}

size_t sqa_workspace_lay_out(const sqa_recipe *recipe, size_t begin, size_t at[SQA_MAX_SCRATCH])
{
    place places[SQA_MAX_SCRATCH];
    size_t end = begin;
    begin = (begin + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    for (uint32_t i = 0; i < recipe->scratch_count; i++) {
        const sqa_tensor_shape *shape = &recipe->scratch[i];
        const uint64_t bytes = sqa_element_bytes(shape->element, sqa_tensor_extent(shape));
        places[i] = life_of(recipe, i);
        places[i].begin = begin;
        places[i].end = begin + (size_t)bytes;
        find_place(&places[i], places, i);
        at[i] = places[i].begin / (size_t)sqa_element_bytes(shape->element, 1);
        end = places[i].end > end ? places[i].end : end;
    }
    return end;
}
