/* info.h - INFO's text. Private to the command layer. */
#ifndef FLASHKV_COMMAND_INFO_H
#define FLASHKV_COMMAND_INFO_H

#include <flashkv/buf.h>
#include <flashkv/command.h>

/* The Redis whose behaviour is followed; what clients take for the server's version. */
#define REDIS_VERSION "7.0.15"

/* Appends the sections that the call's arguments from 1 on name, or the default ones. */
void info_format(const struct call *c, struct buf *out);

/* Sections of info_stats.c. */
void info_commandstats(const struct call *c, struct buf *out);
void info_errorstats(const struct call *c, struct buf *out);
void info_latencystats(const struct call *c, struct buf *out);

/* Appends what a section says of things that are not there (info_fixed.c). */
void info_fixed(const char *section, struct buf *out);

#endif
