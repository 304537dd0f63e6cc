/* config_live.h - settings that take effect while the server runs. Private to the command layer. */
#ifndef FLASHKV_COMMAND_CONFIG_LIVE_H
#define FLASHKV_COMMAND_CONFIG_LIVE_H

#include <flashkv/server.h>

/* For settings_apply: `server` is a struct server. Under the settings' mutex, so it takes none but leaves. */
void config_apply(void *server, const struct setting_change *ch);

#endif
