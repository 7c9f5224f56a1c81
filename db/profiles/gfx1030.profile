# AMD Radeon RX 6900 XT. Not recorded on the device: ROCm's OpenCL counts pairs of compute units
# (work-group processors) as one; wavefronts and local memory are those of the RDNA 2 guide; the
# rest as in gfx90a.profile.
vendor=amd
architecture=gfx1030
model=radeon-rx-6900-xt
runtime=amd
type=gpu
platform_name=AMD Accelerated Parallel Processing
device_name=gfx1030
device_vendor=Advanced Micro Devices, Inc.
board_name=AMD Radeon RX 6900 XT
compute_units=40
max_work_group_size=256
max_work_item_size_0=1024
max_work_item_size_1=1024
max_work_item_size_2=1024
local_memory_bytes=65536
local_memory_is_global=0
vector_width_float=1
has_fp64=1
global_memory_bytes=17163091968
max_allocation_bytes=14588628172
wavefront_width=32
unit_local_memory_bytes=65536
device_version=OpenCL 2.0
