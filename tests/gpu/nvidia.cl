/* What NVIDIA's own front end has in place of libclc: the functions of libdevice. */
#define OF_LIBDEVICE(name)                                                                         \
    extern float __nv_##name##f(float);                                                            \
    float __attribute__((overloadable, always_inline)) name(float x)                               \
    {                                                                                              \
        return __nv_##name##f(x);                                                                  \
    }
OF_LIBDEVICE(exp2)
OF_LIBDEVICE(log2)
OF_LIBDEVICE(log)
OF_LIBDEVICE(exp)
OF_LIBDEVICE(tanh)

float __attribute__((overloadable, always_inline)) native_exp2(float x)
{
    return __nvvm_ex2_approx_ftz_f(x);
}
