/*
 * Prints, for each kind of lanes that works here, for as many messages as it takes and fewer, for each length that is
 * named: the kind's number, its width, the length and the digests. Message i is what FILE has from byte 1001 i on.
 *
 * all_lanes FILE LENGTH...
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

const char *lanes_name(size_t kind);
size_t lanes_width(size_t kind);
int lanes_work(size_t kind);
void lanes_sha256(size_t kind, const uint8_t *const *messages, size_t count, size_t length, uint8_t *digests);

static uint8_t bytes[1 << 20];

static void print(size_t kind, size_t count, size_t length)
{
    const uint8_t *messages[16] = {bytes};
    uint8_t digests[16 * 32];
    for (size_t i = 0; i < count; i++)
        messages[i] = bytes + 1001 * i;
    lanes_sha256(kind, messages, count, length, digests);
    printf("%zu %zu %zu ", kind, lanes_width(kind), length);
    for (size_t i = 0; i < 32 * count; i++)
        printf("%02x", digests[i]);
    printf("\n");
}

int main(int count, char **arguments)
{
    FILE *file = count > 1 ? fopen(arguments[1], "rb") : NULL;
    if (file == NULL || fread(bytes, 1, sizeof bytes, file) == 0)
        return 1;
    for (size_t kind = 0; lanes_name(kind) != NULL; kind++)
        for (size_t few = 1; lanes_work(kind) && few <= lanes_width(kind); few++)
            for (int at = 2; at < count; at++)
                print(kind, few, strtoul(arguments[at], NULL, 10));
    return 0;
}
