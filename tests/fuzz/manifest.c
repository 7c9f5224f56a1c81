/* Manifests of pre-built programs: what is read is written, and read again without a
 * line refused; each entry can be put into another manifest. */
#include "device/prebuilt_manifest.h"
#include "fuzz.h"

static sqa_manifest read_manifest(const void *text, size_t size)
{
    sqa_manifest manifest;
    FUZZ_CHECK(sqa_manifest_parse(&manifest, text, size) == SQA_OK);
    return manifest;
}

static sqa_manifest copy(const sqa_manifest *from)
{
    sqa_manifest manifest = SQA_MANIFEST_INIT;
    for (size_t i = 0; i < from->count; i++) {
        FUZZ_CHECK(sqa_manifest_find(from, from->entries[i].key) == &from->entries[i]);
        FUZZ_CHECK(sqa_manifest_put(&manifest, &from->entries[i]) == SQA_OK);
    }
    return manifest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sqa_text text = SQA_TEXT_INIT;
    sqa_manifest manifest = read_manifest(data, size);
    sqa_manifest_format(&manifest, &text);
    sqa_manifest again = read_manifest(sqa_text_get(&text), text.length);
    FUZZ_CHECK(again.count == manifest.count && again.refused == 0);
    sqa_manifest other = copy(&again);
    sqa_text rewritten = SQA_TEXT_INIT;
    sqa_manifest_format(&other, &rewritten);
    FUZZ_CHECK(!strcmp(sqa_text_get(&text), sqa_text_get(&rewritten)));
    sqa_text_free(&text);
    sqa_text_free(&rewritten);
    sqa_manifest_free(&manifest);
    sqa_manifest_free(&again);
    sqa_manifest_free(&other);
    return 0;
}
