/*
 * What instructions this x86 processor has, and whether its system keeps the registers that they use.
 *
 * Source: Intel 64 and IA-32 Software Developer's Manual, volume 1, sections 14.3, 14.7.1 and 15.2; volume 2, CPUID.
 */
#include "lanes.h"

#if defined(LANES_X86)

#include <cpuid.h>

enum { SSSE3 = 1 << 9, SSE41 = 1 << 19, OSXSAVE = 1 << 27 };         /* leaf 1, ecx */
enum { AVX2 = 1 << 5, AVX512F = 1 << 16, SHA = 1 << 29, AVX512BW = 1 << 30 }; /* leaf 7, ebx */
static const unsigned AVX512VL = 1u << 31;                             /* leaf 7, ebx */
enum { OF_AVX = 0x06, OF_AVX512 = 0xe6 };                            /* registers in XCR0 */

static unsigned leaf_1(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) ? c : 0;
}

static unsigned leaf_7(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) ? b : 0;
}

static int keeps(unsigned registers)
{
    unsigned low, high;
    if (!(leaf_1() & OSXSAVE))
        return 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & registers) == registers;
}

int has_sha(void)
{
    const unsigned beside = SSSE3 | SSE41;
    return (leaf_1() & beside) == beside && (leaf_7() & SHA) != 0;
}

int has_avx2(void) { return keeps(OF_AVX) && (leaf_7() & AVX2) != 0; }

int has_avx512(void)
{
    const unsigned wanted = AVX2 | AVX512F | AVX512BW | AVX512VL;
    return keeps(OF_AVX512) && (leaf_7() & wanted) == wanted;
}

#endif
