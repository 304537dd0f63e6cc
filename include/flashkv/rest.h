/* rest.h - what the private commands of the REST front (src/command/cmd_rest.c) answer. Layer: command. */
#ifndef FLASHKV_REST_H
#define FLASHKV_REST_H

enum rest_outcome {
    REST_CREATED,
    REST_REPLACED,
    REST_REMOVED,
    REST_MISSING, /* nothing was there to remove */
    REST_REFUSED, /* the condition does not hold */
};

#endif
