-- Sub-groups of a device, without which a configuration that needs them cannot be
-- judged elsewhere; and a place for what an import refused. What was measured before
-- is kept; its devices have no known sub-groups.
DROP VIEW best;
DROP VIEW result;

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

CREATE VIEW result AS
SELECT trial.id, trial.environment, trial.class,
       vendor, architecture, model, runtime, type, platform_name, device_name, device_vendor,
       board_name, nv_major, nv_minor, compute_units, max_work_group_size, max_work_item_size_0,
       max_work_item_size_1, max_work_item_size_2, local_memory_bytes, local_memory_is_global,
       vector_width_float, has_fp64, has_compiler, subgroups, global_memory_bytes, max_allocation_bytes,
       platform_version, device_version, driver_version, library_version,
       operation, dtype, head_dim, value_dim, mask, group_size, q_bucket, kv_bucket, rows_bucket,
       batch, q_heads, kv_heads, q_length, kv_length, causal, pattern, write_lse, layout,
       family, space_version, config, source_hash, status, median_ms, spread_ms, max_error, gflops,
       ceiling_gflops, gflops / ceiling_gflops AS fraction_of_ceiling, build_ms, samples, seed,
       final, message, recorded_at,
       EXISTS (SELECT 1 FROM winner WHERE winner.trial = trial.id
               AND winner.environment = trial.environment
               AND winner.class = trial.class) AS winner
FROM trial
JOIN environment ON environment.id = trial.environment
JOIN device ON device.id = environment.device
JOIN problem_class ON problem_class.id = trial.class;

CREATE VIEW best AS
SELECT * FROM result
WHERE status = 'ok' AND id IN (
    SELECT coalesce(
        (SELECT winner.trial FROM winner JOIN trial AS won ON won.id = winner.trial
         WHERE winner.environment = tried.environment AND winner.class = tried.class
           AND won.status = 'ok'),
        (SELECT id FROM trial
         WHERE status = 'ok' AND environment = tried.environment AND class = tried.class
         ORDER BY gflops DESC, id DESC LIMIT 1))
    FROM (SELECT DISTINCT environment, class FROM trial WHERE status = 'ok') AS tried);
