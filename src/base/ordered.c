/* ordered.c - a B+tree with counts.
 *
 *     height 2                   +-------------------------+
 *                                | least  a        k       |   least: the first item below each child
 *                                | count  9        7       |   count: items below it
 *                                +--------|--------|-------+
 *                               +---------+        +---------+
 *     height 1          +----------------+          +----------------+
 *                       | a    d    g    |          | k    n         |
 *                       | 3    3    3    |          | 3    4         |
 *                       +-|----|----|----+          +-|----|---------+
 *     height 0, leaves  a b c <> d e f <> g h i  <>  k l m <> n o p q
 *
 * Nodes fill a size class of 1 KiB. Inserting splits full nodes on the way down, so that a failed allocation
 * leaves a valid tree; a node that is filled in order, at either end, is split there and stays full.
 * Removing merges a thin node with a neighbour if both fit in three quarters of one, so that nodes are not split and
 * merged repeatedly; an empty node is freed. */
#include <flashkv/mem.h>
#include <flashkv/ordered.h>
#include <stdint.h>
#include <string.h>

enum { LEAF_MAX = 62, INNER_MAX = 31 };

/* The header of both kinds of node, which the height distinguishes. */
struct ordered_node {
    uint32_t used; /* items, or children */
};

struct leaf {
    struct ordered_node node;
    struct leaf *prev, *next;
    struct ordered_item items[LEAF_MAX];
};

struct inner {
    struct ordered_node node;
    struct ordered_item least[INNER_MAX];
    size_t count[INNER_MAX];
    struct ordered_node *child[INNER_MAX];
};

_Static_assert(sizeof(struct leaf) <= 1016 && sizeof(struct inner) <= 1016, "a node fills 1 KiB, no more");

static struct leaf *as_leaf(struct ordered_node *n) {
    return (struct leaf *)n;
}

static struct inner *as_inner(struct ordered_node *n) {
    return (struct inner *)n;
}

static uint32_t node_max(unsigned height) {
    return height == 0 ? LEAF_MAX : INNER_MAX;
}

static size_t node_size(unsigned height) {
    return height == 0 ? sizeof(struct leaf) : sizeof(struct inner);
}

/* An empty node. NULL: no memory. */
static struct ordered_node *node_new(struct ordered *o, unsigned height) {
    struct ordered_node *n = mem_alloc(node_size(height));

    if (n == NULL)
        return NULL;
    n->used = 0;
    if (height == 0)
        as_leaf(n)->prev = as_leaf(n)->next = NULL;
    o->bytes += mem_good_size(node_size(height));
    return n;
}

static void node_free(struct ordered *o, struct ordered_node *n, unsigned height) {
    if (height == 0) {
        struct leaf *l = as_leaf(n);

        if (l->prev != NULL)
            l->prev->next = l->next;
        if (l->next != NULL)
            l->next->prev = l->prev;
    }
    o->bytes -= mem_good_size(node_size(height));
    mem_free(n);
}

static struct ordered_item node_least(struct ordered_node *n, unsigned height) {
    return height == 0 ? as_leaf(n)->items[0] : as_inner(n)->least[0];
}

/* Moves entries [from, from + n) of a node to [to, ...) of another of the same height, or of the same. */
static void node_move(struct ordered_node *to_node, uint32_t to, struct ordered_node *from_node,
                      uint32_t from, uint32_t n, unsigned height) {
    if (height == 0) {
        memmove(&as_leaf(to_node)->items[to], &as_leaf(from_node)->items[from],
                n * sizeof(struct ordered_item));
    } else {
        struct inner *t = as_inner(to_node), *f = as_inner(from_node);

        memmove(&t->least[to], &f->least[from], n * sizeof(*t->least));
        memmove(&t->count[to], &f->count[from], n * sizeof(*t->count));
        memmove(&t->child[to], &f->child[from], n * sizeof(struct ordered_node *));
    }
}

/* Opens or closes a gap at entry `i`. */
static void node_open(struct ordered_node *n, uint32_t i, unsigned height) {
    node_move(n, i + 1, n, i, n->used - i, height);
    n->used++;
}

static void node_close(struct ordered_node *n, uint32_t i, unsigned height) {
    n->used--;
    node_move(n, i, n, i + 1, n->used - i, height);
}

static void free_below(struct ordered *o, struct ordered_node *n, unsigned height) {
    for (uint32_t i = 0; height > 0 && i < n->used; i++)
        free_below(o, as_inner(n)->child[i], height - 1);
    node_free(o, n, height);
}

void ordered_free(struct ordered *o) {
    if (o->root != NULL)
        free_below(o, o->root, o->height);
    *o = (struct ordered){0};
}

/* ---- finding --------------------------------------------------------------------------------------------------- */

/* How many of `n` items are before the position sought. */
static uint32_t items_before(const struct ordered_item *items, uint32_t n, ordered_before *before,
                             const void *ctx) {
    uint32_t low = 0;

    while (low < n) {
        uint32_t middle = low + (n - low) / 2;

        if (before(ctx, &items[middle]))
            low = middle + 1;
        else
            n = middle;
    }
    return low;
}

size_t ordered_rank(const struct ordered *o, ordered_before *before, const void *ctx) {
    struct ordered_node *n = o->root;
    size_t rank = 0;

    if (n == NULL)
        return 0;
    for (unsigned height = o->height; height > 0; height--) {
        struct inner *in = as_inner(n);
        uint32_t i = items_before(in->least, n->used, before, ctx);

        i -= i > 0; /* the last child that begins before the position */
        for (uint32_t k = 0; k < i; k++)
            rank += in->count[k];
        n = in->child[i];
    }
    return rank + items_before(as_leaf(n)->items, n->used, before, ctx);
}

/* The child that contains the item of that rank, or the last child; *rank becomes the rank within it. */
static uint32_t child_of(const struct inner *in, size_t *rank) {
    uint32_t i = 0;

    for (; i + 1 < in->node.used && *rank >= in->count[i]; i++)
        *rank -= in->count[i];
    return i;
}

static struct leaf *leaf_of(const struct ordered *o, size_t *rank) {
    struct ordered_node *n = o->root;

    for (unsigned height = o->height; height > 0; height--)
        n = as_inner(n)->child[child_of(as_inner(n), rank)];
    return as_leaf(n);
}

void ordered_walk(const struct ordered *o, size_t rank, size_t count, bool down, ordered_visit *visit,
                  void *ctx) {
    const struct leaf *l;

    if (count == 0)
        return;
    l = leaf_of(o, &rank);
    while (count-- > 0) {
        visit(ctx, &l->items[rank]);
        if (count == 0)
            return;
        if (down && rank-- == 0) {
            l = l->prev;
            rank = l->node.used - 1;
        } else if (!down && ++rank == l->node.used) {
            l = l->next;
            rank = 0;
        }
    }
}

/* ---- inserting ------------------------------------------------------------------------------------------------- */

static void leaf_link_after(struct leaf *left, struct leaf *right) {
    right->prev = left;
    right->next = left->next;
    if (right->next != NULL)
        right->next->prev = right;
    left->next = right;
}

/* Where to split a full child `i` before an insertion at that rank: at the end of insertion, else in the middle. */
static uint32_t split_point(const struct inner *in, uint32_t i, size_t rank) {
    uint32_t used = in->child[i]->used;

    if (i + 1 == in->node.used && rank == in->count[i])
        return used - 1;
    return i == 0 && rank == 0 ? 1 : used / 2;
}

/* Splits child `i` of `in`, whose height is `height`. False, nothing changed: no memory. */
static bool split_child(struct ordered *o, struct inner *in, unsigned height, uint32_t i, size_t rank) {
    struct ordered_node *left = in->child[i], *right = node_new(o, height - 1);
    uint32_t at = split_point(in, i, rank);
    size_t moved = 0;

    if (right == NULL)
        return false;
    right->used = left->used - at;
    node_move(right, 0, left, at, right->used, height - 1);
    left->used = at;
    if (height == 1) {
        leaf_link_after(as_leaf(left), as_leaf(right));
        moved = right->used;
    } else {
        for (uint32_t k = 0; k < right->used; k++)
            moved += as_inner(right)->count[k];
    }
    node_open(&in->node, i + 1, height);
    in->least[i + 1] = node_least(right, height - 1);
    in->count[i + 1] = moved;
    in->child[i + 1] = right;
    in->count[i] -= moved;
    return true;
}

static bool insert_below(struct ordered *o, struct ordered_node *n, unsigned height, size_t rank,
                         struct ordered_item item) {
    struct inner *in = as_inner(n);
    uint32_t i;

    if (height == 0) {
        node_open(n, (uint32_t)rank, 0);
        as_leaf(n)->items[rank] = item;
        return true;
    }
    i = child_of(in, &rank);
    if (in->child[i]->used == node_max(height - 1)) {
        if (!split_child(o, in, height, i, rank))
            return false;
        if (rank >= in->count[i])
            rank -= in->count[i++];
    }
    if (!insert_below(o, in->child[i], height - 1, rank, item))
        return false;
    in->count[i]++;
    in->least[i] = node_least(in->child[i], height - 1);
    return true;
}

/* Ensures that there is a root and it is not full. False, nothing changed: no memory. */
static bool make_root(struct ordered *o) {
    unsigned height = o->root != NULL ? o->height + 1 : 0;
    struct ordered_node *root;

    if (o->root != NULL && o->root->used < node_max(o->height))
        return true;
    root = node_new(o, height);
    if (root == NULL)
        return false;
    if (height > 0) {
        root->used = 1;
        as_inner(root)->least[0] = node_least(o->root, o->height);
        as_inner(root)->count[0] = o->count;
        as_inner(root)->child[0] = o->root;
    }
    o->root = root;
    o->height = height;
    return true;
}

/* Removes a root without items, or with only one child. */
static void trim_root(struct ordered *o) {
    while (o->height > 0 && o->root->used == 1) {
        struct ordered_node *child = as_inner(o->root)->child[0];

        node_free(o, o->root, o->height--);
        o->root = child;
    }
    if (o->count == 0 && o->root != NULL) {
        node_free(o, o->root, o->height);
        *o = (struct ordered){0};
    }
}

bool ordered_insert(struct ordered *o, size_t rank, struct ordered_item item) {
    if (make_root(o) && insert_below(o, o->root, o->height, rank, item)) {
        o->count++;
        return true;
    }
    if (o->root != NULL)
        trim_root(o);
    return false;
}

/* An insertion splits at most one node per level; and a split node is not full again for a while, so there are never many more
 * nodes than a fill of a quarter would need. */
size_t ordered_need(const struct ordered *o, size_t n) {
    size_t each = n * (o->height + 1) + 2, all = (o->count + n) / (LEAF_MAX / 4) * 5 / 4 + o->height + 4;

    return (each < all ? each : all) * (mem_good_size(sizeof(struct inner)) + MEM_RESERVE_BLOCK);
}

/* ---- removing and replacing ------------------------------------------------------------------------------------ */

/* Merges children `i` and `i + 1` if they are small enough together; there may be no child `i + 1`. */
static bool join(struct ordered *o, struct inner *in, unsigned height, uint32_t i) {
    struct ordered_node *left, *right;

    if (i + 1 >= in->node.used)
        return false;
    left = in->child[i];
    right = in->child[i + 1];
    if (left->used + right->used > node_max(height - 1) * 3 / 4)
        return false;
    node_move(left, left->used, right, 0, right->used, height - 1);
    left->used += right->used;
    in->count[i] += in->count[i + 1];
    node_free(o, right, height - 1);
    node_close(&in->node, i + 1, height);
    return true;
}

static struct ordered_item remove_below(struct ordered *o, struct ordered_node *n, unsigned height,
                                        size_t rank) {
    struct inner *in = as_inner(n);
    struct ordered_node *child;
    struct ordered_item item;
    uint32_t i;

    if (height == 0) {
        item = as_leaf(n)->items[rank];
        node_close(n, (uint32_t)rank, 0);
        return item;
    }
    i = child_of(in, &rank);
    child = in->child[i];
    item = remove_below(o, child, height - 1, rank);
    in->count[i]--;
    if (child->used == 0) {
        node_free(o, child, height - 1);
        node_close(n, i, height);
        return item;
    }
    in->least[i] = node_least(child, height - 1);
    if (child->used < node_max(height - 1) / 4 && !join(o, in, height, i) && i > 0)
        (void)join(o, in, height, i - 1);
    return item;
}

struct ordered_item ordered_remove(struct ordered *o, size_t rank) {
    struct ordered_item item = remove_below(o, o->root, o->height, rank);

    o->count--;
    trim_root(o);
    return item;
}

void ordered_replace(struct ordered *o, size_t rank, struct ordered_item item) {
    struct ordered_node *n = o->root;

    for (unsigned height = o->height; height > 0; height--) {
        struct inner *in = as_inner(n);
        uint32_t i = child_of(in, &rank);

        if (rank == 0)
            in->least[i] = item;
        n = in->child[i];
    }
    as_leaf(n)->items[rank] = item;
}
