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

size_t sqa_utf8_mark(const char *text)
{
    static const char mark[] = "\xef\xbb\xbf";
    return strncmp(text, mark, sizeof mark - 1) ? 0 : sizeof mark - 1;
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

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* "\\xHH" as it would be written here. */
static bool is_escape(const char *at)
{
    return at[0] == '\\' && at[1] == 'x' && is_hex(at[2]) && is_hex(at[3]);
}

static bool needs_escapes(const char *text)
{
    for (const char *at = text; (at = strchr(at, '\\')); at++)
        if (is_escape(at))
            return true;
    return !sqa_utf8_is_valid(text);
}

char *sqa_utf8_escape(const char *text, char *out, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const bool escapes = needs_escapes(text);
    size_t used = 0;
    assert(size > 0);
    while (*text) {
        const unsigned char byte = (unsigned char)*text;
        const char escaped[] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
        const size_t own = sqa_utf8_length(text);
        const char *from = own ? text : escaped;
        size_t length = own ? own : sizeof escaped;
        if (escapes && byte == '\\')
            from = "\\\\", length = 2;
        if (used + length >= size)
            break;
        memcpy(out + used, from, length);
        used += length;
        text += own ? own : 1;
    }
    out[used] = 0;
    return out;
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
