/* Runs a fuzz target over its corpus, with any compiler: replay_NAME reads tests/fuzz/corpus/NAME. TAP. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20, PATH_MAX_BYTES = 4096 };

static bool replay(const char *path) {
    static uint8_t data[INPUT_MAX];
    FILE *f = fopen(path, "rb");
    size_t n;

    if (f == NULL)
        return false;
    n = fread(data, 1, sizeof(data), f);
    fclose(f);
    return LLVMFuzzerTestOneInput(data, n) == 0;
}

int main(int argc, char *argv[]) {
    const char *target = argc > 0 ? strrchr(argv[0], '_') : NULL, *srcdir = getenv("srcdir");
    char dir[PATH_MAX_BYTES / 2], path[PATH_MAX_BYTES];
    struct dirent *entry;
    unsigned inputs = 0;
    DIR *corpus;

    snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", srcdir != NULL ? srcdir : ".",
             target != NULL ? target + 1 : "");
    corpus = opendir(dir);
    while (corpus != NULL && (entry = readdir(corpus)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        printf("%s %u - %s\n", replay(path) ? "ok" : "not ok", ++inputs, entry->d_name);
    }
    if (corpus != NULL)
        closedir(corpus);
    if (inputs == 0)
        printf("Bail out! no input in %s\n", dir);
    printf("1..%u\n", inputs);
    return inputs == 0;
}
