/*
 * Functions of three bits, as vpternlogd wants them: bit 4x + 2y + z is the answer for x, y and z.
 *
 * Source: Intel 64 and IA-32 Software Developer's Manual, volume 2, VPTERNLOGD.
 */
enum { ODD = 0x96, FIRST_CHOOSES = 0xca, TWO_AT_LEAST = 0xe8 };
