/*
 * Messages side by side where a register has a word of each: lane by lane the arithmetic is that of one message.
 *
 * Needs TARGET, the instructions' attribute; WIDTH, how many words a register has; `vector`, its type; load_words; and
 * ADD, ROTATED, SHIFTED, XOR3, CHOSEN, MAJORITY, SPREAD.
 *
 * Source: FIPS 180-4, sections 4.1.2 and 6.2.2, whose names for the functions are in the comments.
 */

#define ROTATIONS(x, first, second, third) XOR3(ROTATED(x, first), ROTATED(x, second), ROTATED(x, third))
#define ROTATIONS_AND_SHIFT(x, first, second, third) XOR3(ROTATED(x, first), ROTATED(x, second), SHIFTED(x, third))

/*
 * The next word of the message schedule in place of the one sixteen before: sigma0 and sigma1. Sixteen at once between
 * the rounds instead: 1.41 GB/s where 1.56 was had, by AVX2.
 */
#define EXTENDED(at)                                                                                                   \
    (words[at] = ADD(ADD(words[at], ROTATIONS_AND_SHIFT(words[(at + 1) % 16], 7, 18, 3)),                              \
                     ADD(words[(at + 9) % 16], ROTATIONS_AND_SHIFT(words[(at + 14) % 16], 17, 19, 10))))
#define AS_READ(at) (words[at])

/* Sigma1, Ch, Sigma0, Maj. Instead of moving the words from name to name, the next round has other names for them. */
#define ROUND(a, b, c, d, e, f, g, h, word, at)                                                                        \
    do {                                                                                                               \
        vector keyed = ADD(word(at), SPREAD(constants[at]));                                                           \
        vector first = ADD(ADD(h, keyed), ADD(ROTATIONS(e, 6, 11, 25), CHOSEN(e, f, g)));                              \
        d = ADD(d, first);                                                                                             \
        h = ADD(first, ADD(ROTATIONS(a, 2, 13, 22), MAJORITY(a, b, c)));                                               \
    } while (0)

#define EIGHT_ROUNDS(word, at)                                                                                         \
    do {                                                                                                               \
        ROUND(a, b, c, d, e, f, g, h, word, at);                                                                       \
        ROUND(h, a, b, c, d, e, f, g, word, (at) + 1);                                                                 \
        ROUND(g, h, a, b, c, d, e, f, word, (at) + 2);                                                                 \
        ROUND(f, g, h, a, b, c, d, e, word, (at) + 3);                                                                 \
        ROUND(e, f, g, h, a, b, c, d, word, (at) + 4);                                                                 \
        ROUND(d, e, f, g, h, a, b, c, word, (at) + 5);                                                                 \
        ROUND(c, d, e, f, g, h, a, b, word, (at) + 6);                                                                 \
        ROUND(b, c, d, e, f, g, h, a, word, (at) + 7);                                                                 \
    } while (0)

TARGET INLINE void take_chunk(vector state[8], vector words[16])
{
    vector a = state[0], b = state[1], c = state[2], d = state[3];
    vector e = state[4], f = state[5], g = state[6], h = state[7];
    const uint32_t *constants = round_constants;
    EIGHT_ROUNDS(AS_READ, 0);
    EIGHT_ROUNDS(AS_READ, 8);
    for (constants += 16; constants < round_constants + 64; constants += 16) {
        EIGHT_ROUNDS(EXTENDED, 0);
        EIGHT_ROUNDS(EXTENDED, 8);
    }
    state[0] = ADD(state[0], a), state[1] = ADD(state[1], b), state[2] = ADD(state[2], c), state[3] = ADD(state[3], d);
    state[4] = ADD(state[4], e), state[5] = ADD(state[5], f), state[6] = ADD(state[6], g), state[7] = ADD(state[7], h);
}

TARGET static void take(lane_state *states, const uint8_t *const *messages, size_t chunks)
{
    union {
        vector whole[8];
        uint32_t words[8][WIDTH];
    } state;
    for (size_t i = 0; i < WIDTH; i++)
        for (size_t word = 0; word < 8; word++)
            state.words[word][i] = states[i][word];
    for (size_t chunk = 0; chunk < chunks; chunk++) {
        vector words[16];
        load_words(words, messages, chunk * CHUNK);
        take_chunk(state.whole, words);
    }
    for (size_t i = 0; i < WIDTH; i++)
        for (size_t word = 0; word < 8; word++)
            states[i][word] = state.words[word][i];
}
