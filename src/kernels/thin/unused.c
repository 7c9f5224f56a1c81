/* Which macros are used: those that code or a directive names, or the body of one that is
 * used. A name may also be put together by ##, of any tokens that there are. */
#include "kernels/thin/lines.h"

typedef struct search {
    sqa_lines *lines;
    sqa_names *names;
    bool pastes, no_memory;
} search;

static bool is_macro(const sqa_line *line)
{
    return line->kind == SQA_LINE_DEFINE || line->kind == SQA_LINE_UNDEF;
}

static void see(search *self, const char *at, size_t length)
{
    const char *end = at + length;
    sqa_token token;
    while ((token = sqa_token_next(&at, end)).kind != SQA_TOKEN_END) {
        if (token.kind == SQA_TOKEN_OTHER) {
            self->pastes = self->pastes || sqa_token_is(&token, "##");
            continue;
        }
        const uint32_t number = sqa_names_add(self->names, &token);
        if (number)
            sqa_names_at(self->names, number)->is_seen = true;
        else
            self->no_memory = true;
    }
}

/* Reads the definitions of macros that were seen, until there are no more of them. */
static void follow(search *self)
{
    bool found = true;
    while (found && !self->no_memory) {
        found = false;
        for (size_t i = self->lines->count; i-- > 0;) {
            sqa_line *line = &self->lines->items[i];
            if (line->kind != SQA_LINE_DEFINE || line->is_read ||
                !sqa_names_at(self->names, line->macro)->is_seen)
                continue;
            line->is_read = found = true;
            see(self, line->text, line->length);
        }
    }
}

static bool is_seen(const sqa_names *names, const char *text, size_t length)
{
    const uint32_t number = sqa_names_find(names, text, length);
    return number && sqa_names_at(names, number)->is_seen;
}

/* Whether ## can make the text of two tokens or more. */
static bool can_be_pasted(const sqa_names *names, const char *text, size_t length)
{
    for (size_t i = 1; i < length; i++)
        if (is_seen(names, text, i) &&
            (is_seen(names, text + i, length - i) || can_be_pasted(names, text + i, length - i)))
            return true;
    return false;
}

static bool see_pasted(search *self)
{
    bool found = false;
    for (size_t i = 0; i < self->lines->count; i++) {
        const sqa_line *line = &self->lines->items[i];
        if (line->kind != SQA_LINE_DEFINE)
            continue;
        sqa_name *name = sqa_names_at(self->names, line->macro);
        if (!name->is_seen && can_be_pasted(self->names, name->text, name->length))
            name->is_seen = found = true;
    }
    return found;
}

bool sqa_lines_drop_unused(sqa_lines *lines, sqa_names *names, const char *head, size_t head_length)
{
    search self = {.lines = lines, .names = names};
    see(&self, head, head_length);
    for (size_t i = 0; i < lines->count; i++)
        if (!is_macro(&lines->items[i]))
            see(&self, lines->items[i].text, lines->items[i].length);
    do
        follow(&self);
    while (self.pastes && !self.no_memory && see_pasted(&self));
    size_t kept = 0;
    for (size_t i = 0; i < lines->count; i++) {
        const sqa_line *line = &lines->items[i];
        if (!is_macro(line) || sqa_names_at(names, line->macro)->is_seen)
            lines->items[kept++] = *line;
    }
    lines->count = kept;
    return !self.no_memory;
}
