#include "base/utf8.h"

#include <assert.h>
#include <string.h>

size_t sqa_utf8_length(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t length = at[0] < 0x80   ? 1
                    : at[0] < 0xc2 ? 0
                    : at[0] < 0xe0 ? 2
                    : at[0] < 0xf0 ? 3
                    : at[0] < 0xf5 ? 4
                                   : 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool surrogate = at[0] == 0xed && at[1] >= 0xa0;
    bool too_large = at[0] == 0xf4 && at[1] >= 0x90;
    return overlong || surrogate || too_large ? 0 : length;
}

bool sqa_utf8_is_valid(const char *text)
{
    size_t length = 1;
    for (; *text && length; text += length)
        length = sqa_utf8_length(text);
    return length > 0;
}

/* C0, DEL, and the C1 controls, which terminals obey as well. */
static bool is_control(const char *at)
{
    unsigned char first = (unsigned char)at[0];
    return first < 0x20 || first == 0x7f || (first == 0xc2 && (unsigned char)at[1] < 0xa0);
}

char *sqa_utf8_clean(const char *text, char *out, size_t size, bool printable)
{
    size_t used = 0;
    assert(size > 0);
    while (*text) {
        size_t length = sqa_utf8_length(text), step = length ? length : 1;
        const char *from = text;
        if (!length)
            from = "\xef\xbf\xbd", length = 3;
        else if (printable && is_control(text))
            from = " ", length = 1;
        if (used + length >= size)
            break;
        memcpy(out + used, from, length);
        used += length;
        text += step;
    }
    out[used] = 0;
    return out;
}
