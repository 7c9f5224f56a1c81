# NVIDIA H100 (SXM). Not recorded on the device: units, warps and registers are those of the CUDA
# C++ programming guide (compute capability 9.0); the rest as in sm_80.profile.
vendor=nvidia
architecture=sm_90
model=h100-80gb-hbm3
runtime=nvidia
type=gpu
platform_name=NVIDIA CUDA
device_name=NVIDIA H100 80GB HBM3
device_vendor=NVIDIA Corporation
nv_major=9
compute_units=132
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
