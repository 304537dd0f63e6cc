/* traits.h - attributes of Redis's commands that FlashKV only reports to clients. Private to the command layer. */
#ifndef FLASHKV_COMMAND_TRAITS_H
#define FLASHKV_COMMAND_TRAITS_H

#include <flashkv/command.h>

struct command_traits {
    const char *name, *flags, *categories, *tips, *keys; /* traits_table.c */
};
extern const struct command_traits command_traits_table[];
extern const size_t command_traits_count;

/* NULL: not a command of Redis 7.0; its row has everything. */
const struct command_traits *command_traits(const struct command *cmd);

/* Removes the next word from a list separated by `divider`; false: the list is empty. */
bool traits_word(const char **list, char divider, struct slice *word);
size_t traits_words(const char *list, char divider);
bool traits_has(const char *list, struct slice word);

/* Replies a list of words as a set (or array) of status replies. */
void reply_traits_words(struct call *c, const char *list);
void reply_traits_tips(struct call *c, const char *list);
/* Replies the key specifications. */
void reply_traits_keys(struct call *c, const char *keys);
/* The flags of the key that is argument `at`: those of the specification that begins last before it. */
void reply_traits_key_flags(struct call *c, const char *keys, size_t at);

#endif
