/* Configurations as text, of every kernel family: what is read has allowed values only,
 * is written, and read again as the same. */
#include "fuzz.h"
#include "kernels/registry.h"

static sqa_config first_values(const sqa_kernel_family *family)
{
    sqa_config config;
    memset(&config, 0, sizeof config);
    for (size_t i = 0; i < family->parameter_count; i++)
        config.value[i] = family->parameters[i].values[0];
    return config;
}

static int is_allowed(const sqa_parameter *parameter, int32_t value)
{
    size_t i = 0;
    while (i < parameter->value_count && parameter->values[i] != value)
        i++;
    return i < parameter->value_count;
}

static void check(const sqa_kernel_family *family, const char *text)
{
    sqa_config config = first_values(family), before = config, again;
    char written[SQA_CONFIG_TEXT];
    if (sqa_config_parse(family, text, &config) != SQA_OK) {
        FUZZ_CHECK(sqa_config_equal(&config, &before));
        return;
    }
    for (size_t i = 0; i < family->parameter_count; i++)
        FUZZ_CHECK(is_allowed(&family->parameters[i], config.value[i]));
    sqa_config_format(family, &config, written);
    FUZZ_CHECK(strlen(written) + 1 < sizeof written);
    memset(&again, 0, sizeof again);
    FUZZ_CHECK(sqa_config_parse(family, written, &again) == SQA_OK);
    FUZZ_CHECK(sqa_config_equal(&config, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    for (size_t i = 0; i < sqa_family_count(); i++)
        check(sqa_family_at(i), text);
    free(text);
    return 0;
}
