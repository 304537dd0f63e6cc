/* info.h - INFO's text. Private to the command layer. */
#ifndef FLASHKV_COMMAND_INFO_H
#define FLASHKV_COMMAND_INFO_H

#include <flashkv/buf.h>
#include <flashkv/command.h>

/* The version of Redis whose behaviour is followed, and which is reported to clients. */
#define REDIS_VERSION "7.0.15"

/* Appends the sections named by the call's arguments from 1 on, or the default ones. */
void info_format(const struct call *c, struct buf *out);

/* Sections of info_stats.c. */
void info_commandstats(const struct call *c, struct buf *out);
void info_errorstats(const struct call *c, struct buf *out);
void info_latencystats(const struct call *c, struct buf *out);

/* Appends a section's constant fields (info_fixed.c). */
void info_fixed(const char *section, struct buf *out);

#endif
