/* `sqa trial-worker`: the hidden child of `sqa tune`. Reads its options; the work
 * is in trial/worker.c. */
#include "cli/command.h"
#include "cli/device_option.h"
#include "cli/options.h"
#include "trial/worker.h"

int sqa_command_trial_worker(int argc, char **argv)
{
    const char *device_text = NULL, *programs = "";
    uint32_t timeout = 20;
    const sqa_option options[] = {
        {"device", "P:D", "the device to try on", .text = &device_text},
        {"timeout", "SECONDS", "of one trial", .count = {&timeout, 1, 86400}},
        {"programs", "DIR", "keeps what was compiled", .text = &programs},
        {0},
    };
    int code;
    if (!sqa_options_read(argc, argv, "Serves `sqa tune`; not for people.", options, &code))
        return code;
    unsigned platform, device;
    sqa_status status = sqa_device_option(device_text, &platform, &device);
    if (status != SQA_OK)
        return sqa_command_fail(argv[0], status);
    return sqa_worker_serve(platform, device, timeout, programs) == SQA_OK ? SQA_EXIT_OK
                                                                           : SQA_EXIT_FAILED;
}
