# NVIDIA A100. Not recorded on the device: units, warps and registers are those of the CUDA C++
# programming guide (compute capability 8.0); work-groups and 48 KiB of local memory are what
# NVIDIA's OpenCL is known to report everywhere; allocations are a quarter of the memory. It tells
# no local memory of a unit, and has no shuffles of sub-groups.
vendor=nvidia
architecture=sm_80
model=a100-sxm4-80gb
runtime=nvidia
type=gpu
platform_name=NVIDIA CUDA
device_name=NVIDIA A100-SXM4-80GB
device_vendor=NVIDIA Corporation
nv_major=8
compute_units=108
max_work_group_size=1024
max_work_item_size_0=1024
max_work_item_size_1=1024
max_work_item_size_2=64
local_memory_bytes=49152
local_memory_is_global=0
vector_width_float=1
has_fp64=1
global_memory_bytes=85899345920
max_allocation_bytes=21474836480
wavefront_width=32
unit_registers=65536
device_version=OpenCL 3.0 CUDA
