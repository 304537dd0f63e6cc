/* effect.c - what the log shall do again instead of the command as it came (command.h). Nothing is logged yet. */
#include <flashkv/command.h>

void call_effect(struct call *c, const struct key *k, size_t argc, const struct slice *argv) {
    (void)c;
    (void)k;
    (void)argc;
    (void)argv;
}

void call_effect_value(struct call *c, const struct key *k) {
    (void)c;
    (void)k;
}
