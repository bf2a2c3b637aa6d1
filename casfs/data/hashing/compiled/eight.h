/* Eight messages, a word of each in a register of 256 bits. Needs TARGET. */
#include <immintrin.h>

enum { WIDTH = 8 };

typedef __m256i vector;

#define ADD(x, y) _mm256_add_epi32(x, y)
#define SHIFTED(x, bits) _mm256_srli_epi32(x, bits)
#define SPREAD(word) _mm256_set1_epi32((int)(word))

TARGET INLINE vector half_a_chunk(const uint8_t *read)
{
    const vector big_endian = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
    return _mm256_shuffle_epi8(_mm256_loadu_si256((const vector *)read), big_endian);
}

/* Of four messages, words 0 and 4, 1 and 5, 2 and 6, 3 and 7 of each. */
TARGET INLINE void four_messages(vector pairs[4], const uint8_t *const *messages, size_t offset)
{
    vector first = half_a_chunk(messages[0] + offset), second = half_a_chunk(messages[1] + offset);
    vector third = half_a_chunk(messages[2] + offset), fourth = half_a_chunk(messages[3] + offset);
    vector low = _mm256_unpacklo_epi32(first, second), lower = _mm256_unpacklo_epi32(third, fourth);
    vector high = _mm256_unpackhi_epi32(first, second), higher = _mm256_unpackhi_epi32(third, fourth);
    pairs[0] = _mm256_unpacklo_epi64(low, lower), pairs[1] = _mm256_unpackhi_epi64(low, lower);
    pairs[2] = _mm256_unpacklo_epi64(high, higher), pairs[3] = _mm256_unpackhi_epi64(high, higher);
}

TARGET INLINE void load_words(vector words[16], const uint8_t *const *messages, size_t offset)
{
    for (int half = 0; half < 2; half++) {
        vector left[4], right[4];
        four_messages(left, messages, offset + 32 * half);
        four_messages(right, messages + 4, offset + 32 * half);
        for (int at = 0; at < 4; at++) {
            words[8 * half + at] = _mm256_permute2x128_si256(left[at], right[at], 0x20);
            words[8 * half + 4 + at] = _mm256_permute2x128_si256(left[at], right[at], 0x31);
        }
    }
}
