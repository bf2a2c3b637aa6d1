/* The table of all kinds of lanes, and whole messages of them. casfs/data/hashing/lane_kinds.py builds on it. */
#include "lanes.h"

#include <string.h>

const uint32_t round_constants[64] __attribute__((aligned(64))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const lane_state beginning = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const struct kind *const kinds[] = {
#if defined(LANES_X86)
    &sha_two, &sha_four, &avx2_eight, &avx512_eight, &avx512_sixteen,
#elif defined(LANES_ARM)
    &arm_two, &arm_four,
#endif
    NULL,
};

/* The name of a kind of lanes, NULL behind the last one; how many messages it takes; whether it can be used here. */
const char *lanes_name(size_t kind) { return kinds[kind] ? kinds[kind]->name : NULL; }
size_t lanes_width(size_t kind) { return kinds[kind]->width; }
int lanes_work(size_t kind) { return kinds[kind]->works(); }

/* Puts what is left of a message behind its last whole chunk, with the padding, and returns how many chunks that is. */
static size_t padded(uint8_t tail[2 * CHUNK], const uint8_t *rest, size_t length)
{
    size_t left = length % CHUNK, chunks = left < CHUNK - 8 ? 1 : 2;
    uint64_t bits = (uint64_t)length * 8;
    memset(tail, 0, 2 * CHUNK);
    memcpy(tail, rest, left);
    tail[left] = 0x80;
    for (size_t at = 0; at < 8; at++)
        tail[chunks * CHUNK - 1 - at] = (uint8_t)(bits >> 8 * at);
    return chunks;
}

static void put(uint8_t digest[32], const lane_state state)
{
    for (size_t at = 0; at < 32; at++)
        digest[at] = (uint8_t)(state[at / 4] >> (24 - 8 * (at % 4)));
}

/*
 * Writes 32 bytes to `digests` for each of `count` messages of `length` bytes: one at least, and as many as the lanes
 * are at most. Lanes that are left over take the first message once more.
 */
void lanes_sha256(size_t kind, const uint8_t *const *messages, size_t count, size_t length, uint8_t *digests)
{
    const struct kind *lanes = kinds[kind];
    const uint8_t *wholes[WIDEST], *rests[WIDEST];
    uint8_t tails[WIDEST][2 * CHUNK];
    lane_state states[WIDEST];
    size_t chunks = 0, whole = length / CHUNK;
    for (size_t i = 0; i < lanes->width; i++) {
        wholes[i] = messages[i < count ? i : 0];
        chunks = padded(tails[i], wholes[i] + whole * CHUNK, length);
        rests[i] = tails[i];
        memcpy(states[i], beginning, sizeof beginning);
    }
    lanes->take(states, wholes, whole);
    lanes->take(states, rests, chunks);
    for (size_t i = 0; i < count; i++)
        put(digests + 32 * i, states[i]);
}
