/* config_live.h - applying settings while the server runs. Private to the command layer. */
#ifndef FLASHKV_COMMAND_CONFIG_LIVE_H
#define FLASHKV_COMMAND_CONFIG_LIVE_H

#include <flashkv/server.h>

/* The callback for settings_apply; `server` is a struct server. Runs under the settings' mutex (LOCK_RANK_OPTIONS). */
void config_apply(void *server, const struct setting_change *ch);

#endif
