# Qualcomm Adreno 740, for the class of GPUs with little local memory and wide wavefronts. Limits
# as clinfo showed them in public reports; it has shuffles under a name of Qualcomm's own, and
# does not tell how wide its wavefronts are.
vendor=qualcomm
architecture=adreno-7xx
model=adreno-740
runtime=qualcomm
type=gpu
platform_name=QUALCOMM Snapdragon(TM)
device_name=QUALCOMM Adreno(TM)
device_vendor=QUALCOMM
compute_units=6
max_work_group_size=1024
max_work_item_size_0=1024
max_work_item_size_1=1024
max_work_item_size_2=1024
local_memory_bytes=32768
local_memory_is_global=0
vector_width_float=1
has_fp64=0
global_memory_bytes=7904772096
max_allocation_bytes=1073741824
device_version=OpenCL 3.0 Adreno(TM) 740
