# AMD Instinct MI300X. Not recorded on the device: compute units, wavefronts and local memory are
# those of the CDNA 3 architecture guide; the rest as in gfx90a.profile.
vendor=amd
architecture=gfx942
model=instinct-mi300x
runtime=amd
type=gpu
platform_name=AMD Accelerated Parallel Processing
device_name=gfx942:sramecc+:xnack-
device_vendor=Advanced Micro Devices, Inc.
board_name=AMD Instinct MI300X
compute_units=304
max_work_group_size=256
max_work_item_size_0=1024
max_work_item_size_1=1024
max_work_item_size_2=1024
local_memory_bytes=65536
local_memory_is_global=0
vector_width_float=1
has_fp64=1
global_memory_bytes=206158430208
max_allocation_bytes=175234665676
wavefront_width=64
unit_local_memory_bytes=65536
device_version=OpenCL 2.0
