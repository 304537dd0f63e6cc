/* Linked with the whole of a layer and of those below it, and with nothing else: that it links is the test. */
#include <stdio.h>

int main(void) {
    puts("1..1\nok 1 - links without the layers above");
    return 0;
}
