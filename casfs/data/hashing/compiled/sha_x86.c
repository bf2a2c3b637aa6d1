/*
 * Two and four lanes by the SHA instructions of x86.
 *
 * Source: Intel 64 and IA-32 Software Developer's Manual, volume 2, SHA256RNDS2, SHA256MSG1, SHA256MSG2.
 */
#include "lanes.h"

#if defined(LANES_X86)

#include <immintrin.h>

#define TARGET __attribute__((target("sha,ssse3,sse4.1")))

typedef __m128i quad;

/* As the instructions want it: words f, e, b, a and h, g, d, c, lowest first. */
struct lane {
    quad feba, hgdc;
};

enum { SWAPPED = 0xb1, UPPER = 0x0e };

TARGET INLINE struct lane lane_of(const lane_state state)
{
    quad abcd = _mm_loadu_si128((const quad *)state), efgh = _mm_loadu_si128((const quad *)state + 1);
    struct lane lane = {_mm_shuffle_epi32(_mm_unpacklo_epi64(efgh, abcd), SWAPPED),
                        _mm_shuffle_epi32(_mm_unpackhi_epi64(efgh, abcd), SWAPPED)};
    return lane;
}

TARGET INLINE void state_of(struct lane lane, lane_state state)
{
    quad efab = _mm_shuffle_epi32(lane.feba, SWAPPED), ghcd = _mm_shuffle_epi32(lane.hgdc, SWAPPED);
    _mm_storeu_si128((quad *)state, _mm_unpackhi_epi64(efab, ghcd));
    _mm_storeu_si128((quad *)state + 1, _mm_unpacklo_epi64(efab, ghcd));
}

TARGET INLINE struct lane added(struct lane lane, struct lane before)
{
    lane.feba = _mm_add_epi32(lane.feba, before.feba);
    lane.hgdc = _mm_add_epi32(lane.hgdc, before.hgdc);
    return lane;
}

TARGET INLINE quad words_at(const uint8_t *read)
{
    const quad big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    return _mm_shuffle_epi8(_mm_loadu_si128((const quad *)read), big_endian);
}

/* The next four words of the message schedule, from the sixteen before them. */
TARGET INLINE quad extended(const quad words[4], int at)
{
    quad last = words[(at + 3) % 4];
    quad sum = _mm_add_epi32(_mm_sha256msg1_epu32(words[at % 4], words[(at + 1) % 4]),
                             _mm_alignr_epi8(last, words[(at + 2) % 4], 4));
    return _mm_sha256msg2_epu32(sum, last);
}

TARGET INLINE void four_rounds(struct lane *lane, quad words, const uint32_t *constants)
{
    quad keyed = _mm_add_epi32(words, _mm_load_si128((const quad *)constants));
    lane->hgdc = _mm_sha256rnds2_epu32(lane->hgdc, lane->feba, keyed);
    lane->feba = _mm_sha256rnds2_epu32(lane->feba, lane->hgdc, _mm_shuffle_epi32(keyed, UPPER));
}

#include "interleaved.h"

const struct kind sha_two = {"SHA instructions", 2, has_sha, take_two};
const struct kind sha_four = {"SHA instructions", 4, has_sha, take_four};

#endif
