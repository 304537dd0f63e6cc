/* object.c - operations on objects by type: the one file that switches over all types. */
#include <flashkv/mem.h>

#include "entry_layout.h"

struct object *object_new(enum value_type type, const unsigned char *secret) {
    switch (type) {
    case TYPE_STRING:
        break; /* created with its bytes: blob_new */
    case TYPE_LIST:
        return (struct object *)list_new();
    case TYPE_HASH:
        return (struct object *)hash_new(secret);
    case TYPE_SET:
        return (struct object *)set_new(secret);
    case TYPE_ZSET:
        return (struct object *)zset_new(secret);
    }
    return NULL;
}

void object_free(struct object *o) {
    if (o == NULL)
        return;
    switch ((enum value_type)o->type) {
    case TYPE_STRING:
        blob_unref((struct blob *)o);
        break;
    case TYPE_LIST:
        list_free((struct list *)o);
        break;
    case TYPE_HASH:
        hash_free((struct hash *)o);
        break;
    case TYPE_SET:
        set_free((struct set *)o);
        break;
    case TYPE_ZSET:
        zset_free((struct zset *)o);
        break;
    }
}

struct object *object_copy(const struct object *o) {
    switch ((enum value_type)o->type) {
    case TYPE_STRING:
        return &blob_ref((struct blob *)o)->object;
    case TYPE_LIST:
        return (struct object *)list_copy((const struct list *)o);
    case TYPE_HASH:
        return (struct object *)hash_copy((const struct hash *)o);
    case TYPE_SET:
        return (struct object *)set_copy((const struct set *)o);
    case TYPE_ZSET:
        return (struct object *)zset_copy((const struct zset *)o);
    }
    return NULL;
}

size_t object_len(const struct object *o) {
    switch ((enum value_type)o->type) {
    case TYPE_STRING:
        return ((const struct blob *)o)->len;
    case TYPE_LIST:
        return list_len((const struct list *)o);
    case TYPE_HASH:
        return hash_len((const struct hash *)o);
    case TYPE_SET:
        return set_len((const struct set *)o);
    case TYPE_ZSET:
        return zset_len((const struct zset *)o);
    }
    return 0;
}

size_t object_footprint(const struct object *o) {
    if (o == NULL)
        return 0;
    switch ((enum value_type)o->type) {
    case TYPE_STRING:
        return mem_good_size(sizeof(struct blob) + ((const struct blob *)o)->cap);
    case TYPE_LIST:
        return list_bytes((const struct list *)o);
    case TYPE_HASH:
        return hash_bytes((const struct hash *)o);
    case TYPE_SET:
        return set_bytes((const struct set *)o);
    case TYPE_ZSET:
        return zset_bytes((const struct zset *)o);
    }
    return 0;
}
