/* Eight messages, a word of each in a register of 256 bits. Needs TARGET. */
#include <immintrin.h>

enum { WIDTH = 8 };

typedef __m256i vector;

#define OF_VECTORS(name) _mm256_##name

TARGET INLINE vector read_vector(const uint8_t *read)
{
    const vector big_endian = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
    return _mm256_shuffle_epi8(_mm256_loadu_si256((const vector *)read), big_endian);
}

#include "vectors.h"

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
