# Arm Mali-G610, for the class of GPUs whose local memory is ordinary memory. Limits as clinfo
# showed them in public reports; what it has for vectors of floats is an estimate.
vendor=arm
architecture=valhall
model=mali-g610
runtime=arm
type=gpu
platform_name=ARM Platform
device_name=Mali-G610 r0p0
device_vendor=ARM
compute_units=4
max_work_group_size=1024
max_work_item_size_0=1024
max_work_item_size_1=1024
max_work_item_size_2=1024
local_memory_bytes=32768
local_memory_is_global=1
vector_width_float=4
has_fp64=0
global_memory_bytes=4143972352
max_allocation_bytes=4143972352
device_version=OpenCL 3.0 v1.g13p0-01eac0.9113fb3d6cbac82527a272992153edf9
