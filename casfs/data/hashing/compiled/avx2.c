/* Eight lanes by AVX2, for processors without SHA instructions. */
#include "lanes.h"

#if defined(LANES_X86)

#define TARGET __attribute__((target("avx2")))

#include "eight.h"

#define ROTATED(x, bits) _mm256_or_si256(_mm256_srli_epi32(x, bits), _mm256_slli_epi32(x, 32 - (bits)))
#define XOR3(x, y, z) _mm256_xor_si256(_mm256_xor_si256(x, y), z)
#define CHOSEN(x, y, z) _mm256_xor_si256(_mm256_and_si256(_mm256_xor_si256(y, z), x), z)
/* The compiler has one of the two differences from the round before. */
#define MAJORITY(x, y, z) _mm256_xor_si256(_mm256_and_si256(_mm256_xor_si256(x, y), _mm256_xor_si256(y, z)), y)

#include "transposed.h"

const struct kind avx2_eight = {"AVX2", WIDTH, has_avx2, take};

#endif
