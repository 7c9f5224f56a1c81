/* See failing_clblast.h. These functions stand before the library's own. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "database/failing_clblast.h"

#include <dlfcn.h>

#include <clblast_c.h>

int clblast_calls, failing_clblast_call;
bool clblast_sizes_fail;

CLBlastStatusCode
CLBlastSgemmWithTempBuffer(const CLBlastLayout layout, const CLBlastTranspose a_transpose,
                           const CLBlastTranspose b_transpose, const size_t m, const size_t n,
                           const size_t k, const float alpha, const cl_mem a_buffer,
                           const size_t a_offset, const size_t a_ld, const cl_mem b_buffer,
                           const size_t b_offset, const size_t b_ld, const float beta,
                           cl_mem c_buffer, const size_t c_offset, const size_t c_ld,
                           cl_command_queue *queue, cl_event *event, cl_mem temp_buffer)
{
    CLBlastStatusCode (*real)(CLBlastLayout, CLBlastTranspose, CLBlastTranspose, size_t, size_t,
                              size_t, float, cl_mem, size_t, size_t, cl_mem, size_t, size_t, float,
                              cl_mem, size_t, size_t, cl_command_queue *, cl_event *, cl_mem);
    *(void **)&real = dlsym(RTLD_NEXT, "CLBlastSgemmWithTempBuffer");
    if (++clblast_calls == failing_clblast_call)
        return CLBlastDatabaseError;
    return real(layout, a_transpose, b_transpose, m, n, k, alpha, a_buffer, a_offset, a_ld,
                b_buffer, b_offset, b_ld, beta, c_buffer, c_offset, c_ld, queue, event,
                temp_buffer);
}

CLBlastStatusCode
CLBlastSGemmTempBufferSize(const CLBlastLayout layout, const CLBlastTranspose a_transpose,
                           const CLBlastTranspose b_transpose, const size_t m, const size_t n,
                           const size_t k, const size_t a_offset, const size_t a_ld,
                           const size_t b_offset, const size_t b_ld, const size_t c_offset,
                           const size_t c_ld, cl_command_queue *queue, size_t *bytes)
{
    CLBlastStatusCode (*real)(CLBlastLayout, CLBlastTranspose, CLBlastTranspose, size_t, size_t,
                              size_t, size_t, size_t, size_t, size_t, size_t, size_t,
                              cl_command_queue *, size_t *);
    *(void **)&real = dlsym(RTLD_NEXT, "CLBlastSGemmTempBufferSize");
    return clblast_sizes_fail ? CLBlastDatabaseError
                              : real(layout, a_transpose, b_transpose, m, n, k, a_offset, a_ld,
                                     b_offset, b_ld, c_offset, c_ld, queue, bytes);
}
