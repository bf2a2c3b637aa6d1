/* Sixteen lanes by AVX-512. */
#include "lanes.h"

#if defined(LANES_X86)

#define TARGET __attribute__((target("avx512f,avx512bw")))

#include <immintrin.h>

enum { WIDTH = 16 };

typedef __m512i vector;

#define OF_VECTORS(name) _mm512_##name

/* Which quarters of two registers: the even ones of each, or the odd ones. */
enum { EVEN_QUARTERS = 0x88, ODD_QUARTERS = 0xdd };

TARGET INLINE vector read_vector(const uint8_t *read)
{
    const vector big_endian = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
    return _mm512_shuffle_epi8(_mm512_loadu_si512(read), big_endian);
}

#include "ternary.h"
#include "vectors.h"

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
