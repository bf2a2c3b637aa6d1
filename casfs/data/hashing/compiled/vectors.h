/*
 * What registers of 256 and of 512 bits have in common.
 *
 * Needs TARGET, the instructions' attribute; `vector`, the type of a register; OF_VECTORS, the full name of one of its
 * intrinsics; and read_vector, which fills one with big-endian words.
 */

#define ADD(x, y) OF_VECTORS(add_epi32)(x, y)
#define SHIFTED(x, bits) OF_VECTORS(srli_epi32)(x, bits)
#define SPREAD(word) OF_VECTORS(set1_epi32)((int)(word))

/* Of four messages, every fourth word of each: from the first one on, the second, the third, the fourth. */
TARGET INLINE void four_messages(vector parts[4], const uint8_t *const *messages, size_t offset)
{
    vector first = read_vector(messages[0] + offset), second = read_vector(messages[1] + offset);
    vector third = read_vector(messages[2] + offset), fourth = read_vector(messages[3] + offset);
    vector low = OF_VECTORS(unpacklo_epi32)(first, second), lower = OF_VECTORS(unpacklo_epi32)(third, fourth);
    vector high = OF_VECTORS(unpackhi_epi32)(first, second), higher = OF_VECTORS(unpackhi_epi32)(third, fourth);
    parts[0] = OF_VECTORS(unpacklo_epi64)(low, lower), parts[1] = OF_VECTORS(unpackhi_epi64)(low, lower);
    parts[2] = OF_VECTORS(unpacklo_epi64)(high, higher), parts[3] = OF_VECTORS(unpackhi_epi64)(high, higher);
}
