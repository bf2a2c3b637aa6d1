/*
 * Functions of three bits, as vpternlogd wants them: bit 4x + 2y + z is the answer for x, y and z. And rotations, which
 * AVX-512 has too. Needs OF_VECTORS.
 *
 * Source: Intel 64 and IA-32 Software Developer's Manual, volume 2, VPTERNLOGD, VPRORD.
 */
enum { ODD = 0x96, FIRST_CHOOSES = 0xca, TWO_AT_LEAST = 0xe8 };

#define ROTATED(x, bits) OF_VECTORS(ror_epi32)(x, bits)
#define XOR3(x, y, z) OF_VECTORS(ternarylogic_epi32)(x, y, z, ODD)
#define CHOSEN(x, y, z) OF_VECTORS(ternarylogic_epi32)(x, y, z, FIRST_CHOOSES)
#define MAJORITY(x, y, z) OF_VECTORS(ternarylogic_epi32)(x, y, z, TWO_AT_LEAST)
