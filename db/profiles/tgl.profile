# Intel Iris Xe (Tiger Lake). Limits as clinfo showed them in public reports about Intel's compute
# runtime (NEO).
vendor=intel
architecture=xe-lp
model=iris-xe-graphics
runtime=intel
type=gpu
platform_name=Intel(R) OpenCL Graphics
device_name=Intel(R) Iris(R) Xe Graphics
device_vendor=Intel(R) Corporation
compute_units=96
max_work_group_size=512
max_work_item_size_0=512
max_work_item_size_1=512
max_work_item_size_2=512
local_memory_bytes=65536
local_memory_is_global=0
vector_width_float=1
has_fp64=0
subgroups=choice 8,16,32
global_memory_bytes=13211725824
max_allocation_bytes=4294959104
device_version=OpenCL 3.0 NEO
