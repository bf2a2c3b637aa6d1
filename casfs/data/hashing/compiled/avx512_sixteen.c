/* Sixteen lanes by AVX-512. */
#include "lanes.h"

#if defined(LANES_X86)

#define TARGET __attribute__((target("avx512f,avx512bw")))

#include "ternary.h"

#include <immintrin.h>

enum { WIDTH = 16 };

typedef __m512i vector;

#define ADD(x, y) _mm512_add_epi32(x, y)
#define SHIFTED(x, bits) _mm512_srli_epi32(x, bits)
#define SPREAD(word) _mm512_set1_epi32((int)(word))
#define ROTATED(x, bits) _mm512_ror_epi32(x, bits)
#define XOR3(x, y, z) _mm512_ternarylogic_epi32(x, y, z, ODD)
#define CHOSEN(x, y, z) _mm512_ternarylogic_epi32(x, y, z, FIRST_CHOOSES)
#define MAJORITY(x, y, z) _mm512_ternarylogic_epi32(x, y, z, TWO_AT_LEAST)

/* Which quarters of two registers: the even ones of each, or the odd ones. */
enum { EVEN_QUARTERS = 0x88, ODD_QUARTERS = 0xdd };

TARGET INLINE vector whole_chunk(const uint8_t *read)
{
    const vector big_endian = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
    return _mm512_shuffle_epi8(_mm512_loadu_si512(read), big_endian);
}

/* Of four messages, words 0, 4, 8 and 12 of each; 1, 5, 9 and 13; 2, 6, 10 and 14; 3, 7, 11 and 15. */
TARGET INLINE void four_messages(vector quarters[4], const uint8_t *const *messages, size_t offset)
{
    vector first = whole_chunk(messages[0] + offset), second = whole_chunk(messages[1] + offset);
    vector third = whole_chunk(messages[2] + offset), fourth = whole_chunk(messages[3] + offset);
    vector low = _mm512_unpacklo_epi32(first, second), lower = _mm512_unpacklo_epi32(third, fourth);
    vector high = _mm512_unpackhi_epi32(first, second), higher = _mm512_unpackhi_epi32(third, fourth);
    quarters[0] = _mm512_unpacklo_epi64(low, lower), quarters[1] = _mm512_unpackhi_epi64(low, lower);
    quarters[2] = _mm512_unpacklo_epi64(high, higher), quarters[3] = _mm512_unpackhi_epi64(high, higher);
}

TARGET INLINE void load_words(vector words[16], const uint8_t *const *messages, size_t offset)
{
    vector quarters[4][4];
    for (int four = 0; four < 4; four++)
        four_messages(quarters[four], messages + 4 * four, offset);
    for (int at = 0; at < 4; at++) {
        vector even_left = _mm512_shuffle_i32x4(quarters[0][at], quarters[1][at], EVEN_QUARTERS);
        vector even_right = _mm512_shuffle_i32x4(quarters[2][at], quarters[3][at], EVEN_QUARTERS);
        vector odd_left = _mm512_shuffle_i32x4(quarters[0][at], quarters[1][at], ODD_QUARTERS);
        vector odd_right = _mm512_shuffle_i32x4(quarters[2][at], quarters[3][at], ODD_QUARTERS);
        words[at] = _mm512_shuffle_i32x4(even_left, even_right, EVEN_QUARTERS);
        words[4 + at] = _mm512_shuffle_i32x4(odd_left, odd_right, EVEN_QUARTERS);
        words[8 + at] = _mm512_shuffle_i32x4(even_left, even_right, ODD_QUARTERS);
        words[12 + at] = _mm512_shuffle_i32x4(odd_left, odd_right, ODD_QUARTERS);
    }
}

#include "transposed.h"

const struct kind avx512_sixteen = {"AVX-512", WIDTH, has_avx512, take};

#endif
