/*
 * Eight lanes by AVX-512: some processors have three units for half of its width where they have two for all of it, and
 * a part of eight blocks leaves no lane empty.
 */
#include "lanes.h"

#if defined(LANES_X86)

#define TARGET __attribute__((target("avx2,avx512f,avx512vl")))

#include "eight.h"
#include "ternary.h"
#include "transposed.h"

const struct kind avx512_eight = {"AVX-512", WIDTH, has_avx512, take};

#endif
