# AMD Instinct MI250X, one of its two dies. Not recorded on the device: compute units, wavefronts
# and local memory are those of the CDNA 2 architecture guide; work-groups of 256 are ROCm's
# OpenCL; it tells no registers of a unit, and has no cl_khr_subgroup_shuffle.
vendor=amd
architecture=gfx90a
model=instinct-mi250x
runtime=amd
type=gpu
platform_name=AMD Accelerated Parallel Processing
device_name=gfx90a:sramecc+:xnack-
device_vendor=Advanced Micro Devices, Inc.
board_name=AMD Instinct MI250X
compute_units=110
max_work_group_size=256
max_work_item_size_0=1024
max_work_item_size_1=1024
max_work_item_size_2=1024
local_memory_bytes=65536
local_memory_is_global=0
vector_width_float=1
has_fp64=1
global_memory_bytes=68719476736
max_allocation_bytes=58411555225
wavefront_width=64
unit_local_memory_bytes=65536
device_version=OpenCL 2.0
