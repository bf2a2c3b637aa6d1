/*
 * SHA-256 of several messages of one length, in step on one processor: what the kinds of lanes share.
 *
 * Source: FIPS 180-4, sections 4.2.2, 5.1.1, 5.3.3 and 6.2.
 */
#ifndef LANES_H
#define LANES_H

#include <stddef.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLLED _Pragma("unroll")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif
#define HIDDEN __attribute__((visibility("hidden")))

enum { CHUNK = 64, WIDEST = 16 };

typedef uint32_t lane_state[8];

/* One kind of lanes: which instructions, and how many messages they take in step. */
struct kind {
    const char *name;
    size_t width;
    /* Whether this processor and its system have the instructions. */
    int (*works)(void);
    /* Takes `chunks` chunks of 64 bytes of each of `width` messages into their states. */
    void (*take)(lane_state *states, const uint8_t *const *messages, size_t chunks);
};

/* What is added in each of the 64 rounds: section 4.2.2. */
extern HIDDEN const uint32_t round_constants[64];

#if defined(__x86_64__)
#define LANES_X86 1
extern HIDDEN const struct kind sha_two, sha_four, avx2_eight, avx512_eight, avx512_sixteen;
HIDDEN int has_sha(void);
HIDDEN int has_avx2(void);
HIDDEN int has_avx512(void);
#endif

/* Before version 16 clang has the intrinsics only where the whole file may use the instructions. */
#if defined(__AARCH64EL__) && defined(__linux__) && (!defined(__clang__) || __clang_major__ >= 16)
#define LANES_ARM 1
extern HIDDEN const struct kind arm_two, arm_four;
#endif

#endif
