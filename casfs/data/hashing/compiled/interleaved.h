/*
 * Messages side by side where the processor has instructions for rounds of SHA-256.
 *
 * Such an instruction ends some cycles after it began, and the next one of the same message waits for it; most of that
 * time the unit would be free for another message.
 *
 * Needs TARGET, the instructions' attribute; `quad`, a register of four words; `struct lane`, the state of a message;
 * and of each of these: lane_of, state_of, added, words_at, extended, four_rounds.
 */
/* Takes chunks of `width` messages, 4 at most: four rounds of each in turn, so that they overlap. */
TARGET INLINE void take(lane_state *states, const uint8_t *const *messages, int width, size_t chunks)
{
    struct lane lanes[4], before[4];
    quad words[4][4];
    for (int i = 0; i < width; i++)
        lanes[i] = lane_of(states[i]);
    for (size_t chunk = 0; chunk < chunks; chunk++) {
        for (int i = 0; i < width; i++)
            before[i] = lanes[i];
        UNROLLED
        for (int at = 0; at < 16; at++) {
            UNROLLED
            for (int i = 0; i < width; i++) {
                const uint8_t *read = messages[i] + chunk * CHUNK + 16 * (at % 4);
                words[i][at % 4] = at < 4 ? words_at(read) : extended(words[i], at);
                four_rounds(&lanes[i], words[i][at % 4], round_constants + 4 * at);
            }
        }
        for (int i = 0; i < width; i++)
            lanes[i] = added(lanes[i], before[i]);
    }
    for (int i = 0; i < width; i++)
        state_of(lanes[i], states[i]);
}

TARGET static void take_two(lane_state *states, const uint8_t *const *messages, size_t chunks)
{
    take(states, messages, 2, chunks);
}

TARGET static void take_four(lane_state *states, const uint8_t *const *messages, size_t chunks)
{
    take(states, messages, 4, chunks);
}
