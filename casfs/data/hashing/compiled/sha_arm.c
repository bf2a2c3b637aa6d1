/*
 * Two and four lanes by the SHA instructions of 64-bit ARM.
 *
 * Source: Arm Architecture Reference Manual for A-profile, SHA256H, SHA256H2, SHA256SU0, SHA256SU1; Arm C Language
 * Extensions; getauxval(3) and the kernel's "ARM64 ELF hwcaps" for HWCAP_SHA2.
 */
#include "lanes.h"

#if defined(LANES_ARM)

#include <arm_neon.h>
#include <sys/auxv.h>

#if defined(__clang__)
#define TARGET __attribute__((target("sha2")))
#else
#define TARGET __attribute__((target("+crypto")))
#endif

typedef uint32x4_t quad;

struct lane {
    quad abcd, efgh;
};

TARGET INLINE struct lane lane_of(const lane_state state)
{
    struct lane lane = {vld1q_u32(state), vld1q_u32(state + 4)};
    return lane;
}

TARGET INLINE void state_of(struct lane lane, lane_state state)
{
    vst1q_u32(state, lane.abcd);
    vst1q_u32(state + 4, lane.efgh);
}

TARGET INLINE struct lane added(struct lane lane, struct lane before)
{
    lane.abcd = vaddq_u32(lane.abcd, before.abcd);
    lane.efgh = vaddq_u32(lane.efgh, before.efgh);
    return lane;
}

TARGET INLINE quad words_at(const uint8_t *read)
{
    return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(read)));
}

/* The next four words of the message schedule, from the sixteen before them. */
TARGET INLINE quad extended(const quad words[4], int at)
{
    quad sum = vsha256su0q_u32(words[at % 4], words[(at + 1) % 4]);
    return vsha256su1q_u32(sum, words[(at + 2) % 4], words[(at + 3) % 4]);
}

TARGET INLINE void four_rounds(struct lane *lane, quad words, const uint32_t *constants)
{
    quad keyed = vaddq_u32(words, vld1q_u32(constants)), abcd = lane->abcd;
    lane->abcd = vsha256hq_u32(abcd, lane->efgh, keyed);
    lane->efgh = vsha256h2q_u32(lane->efgh, abcd, keyed);
}

#include "interleaved.h"

static int has_sha2(void) { return (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0; }

const struct kind arm_two = {"SHA instructions", 2, has_sha2, take_two};
const struct kind arm_four = {"SHA instructions", 4, has_sha2, take_four};

#endif
