/* A device in a command's JSON: what identifies it, the same in every document. */
#ifndef SQA_TUNER_DEVICE_JSON_H
#define SQA_TUNER_DEVICE_JSON_H

#include "device/device.h"
#include "text/json.h"
#include "trial/ceiling.h"

/* "device": {"id": "P:D", "name": ..., "identity": {...}, ...} */
void sqa_json_device(sqa_json *json, unsigned platform, unsigned index, const sqa_device *device);

/* The member "ceiling". */
void sqa_json_ceiling(sqa_json *json, const sqa_ceiling *ceiling);

#endif
