-- Sub-groups of a device, without which a configuration that needs them cannot be
-- judged elsewhere; and a place for what an import refused. What was measured before
-- is kept; its devices have no known sub-groups.

CREATE TABLE device_2 (
    id                     INTEGER PRIMARY KEY,
    vendor                 TEXT NOT NULL,
    architecture           TEXT NOT NULL,
    model                  TEXT NOT NULL,
    runtime                TEXT NOT NULL,
    type                   TEXT NOT NULL CHECK (type IN ('cpu', 'gpu', 'accelerator', 'other')),
    platform_name          TEXT NOT NULL,
    device_name            TEXT NOT NULL,
    device_vendor          TEXT NOT NULL,
    board_name             TEXT NOT NULL,
    nv_major               INTEGER NOT NULL CHECK (nv_major >= 0),
    nv_minor               INTEGER NOT NULL CHECK (nv_minor >= 0),
    compute_units          INTEGER NOT NULL CHECK (compute_units >= 0),
    max_work_group_size    INTEGER NOT NULL CHECK (max_work_group_size >= 0),
    max_work_item_size_0   INTEGER NOT NULL CHECK (max_work_item_size_0 >= 0),
    max_work_item_size_1   INTEGER NOT NULL CHECK (max_work_item_size_1 >= 0),
    max_work_item_size_2   INTEGER NOT NULL CHECK (max_work_item_size_2 >= 0),
    local_memory_bytes     INTEGER NOT NULL CHECK (local_memory_bytes >= 0),
    local_memory_is_global INTEGER NOT NULL CHECK (local_memory_is_global IN (0, 1)),
    vector_width_float     INTEGER NOT NULL CHECK (vector_width_float >= 0),
    has_fp64               INTEGER NOT NULL CHECK (has_fp64 IN (0, 1)),
    has_compiler           INTEGER NOT NULL CHECK (has_compiler IN (0, 1)),
    subgroups              TEXT NOT NULL DEFAULT '',
    global_memory_bytes    INTEGER NOT NULL CHECK (global_memory_bytes >= 0),
    max_allocation_bytes   INTEGER NOT NULL CHECK (max_allocation_bytes >= 0),
    UNIQUE (vendor, architecture, model, runtime, type, platform_name, device_name, device_vendor,
            board_name, nv_major, nv_minor, compute_units, max_work_group_size,
            max_work_item_size_0, max_work_item_size_1, max_work_item_size_2, local_memory_bytes,
            local_memory_is_global, vector_width_float, has_fp64, has_compiler, subgroups)
) STRICT;
INSERT INTO device_2 (
    id, vendor, architecture, model, runtime, type, platform_name, device_name, device_vendor,
    board_name, nv_major, nv_minor, compute_units, max_work_group_size, max_work_item_size_0,
    max_work_item_size_1, max_work_item_size_2, local_memory_bytes, local_memory_is_global,
    vector_width_float, has_fp64, has_compiler, global_memory_bytes, max_allocation_bytes)
SELECT
    id, vendor, architecture, model, runtime, type, platform_name, device_name, device_vendor,
    board_name, nv_major, nv_minor, compute_units, max_work_group_size, max_work_item_size_0,
    max_work_item_size_1, max_work_item_size_2, local_memory_bytes, local_memory_is_global,
    vector_width_float, has_fp64, has_compiler, global_memory_bytes, max_allocation_bytes
FROM device;
DROP TABLE device;
ALTER TABLE device_2 RENAME TO device;

ALTER TABLE trial ADD COLUMN pattern TEXT NOT NULL DEFAULT '';

CREATE TABLE quarantine (
    id          INTEGER PRIMARY KEY,
    digest      TEXT NOT NULL UNIQUE,
    source      TEXT NOT NULL,
    place       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    bytes       INTEGER NOT NULL CHECK (bytes >= 0),
    line        TEXT NOT NULL,
    recorded_at TEXT NOT NULL
) STRICT;
