/* Which processor the loops of JPEG-LS are compiled for the second time. */
#ifndef MGA_JLS_FAST_H
#define MGA_JLS_FAST_H

#if defined(__x86_64__)
#define JLS_FAST __attribute__((target("avx2,bmi,bmi2,lzcnt,movbe")))

static inline int jls_has_fast(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}
#endif

#endif
