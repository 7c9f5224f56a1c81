-- The tuning database: which configuration of which kernel family was tried on
-- which device, for which problem, and what came of it.
--
-- A new file is made from this text. An older one is brought here by the numbered
-- files of migrations/, each of which takes the schema one version up; both ways
-- end in the same tables. Raise user_version here (and SQA_SCHEMA_VERSION in
-- src/tuning/schema.h) together with every new migration.
--
-- A trial is a fact: it is added once and never changed. What may change is which
-- trial counts as the winner.

PRAGMA application_id = 0x53514144; -- "SQAD": tells the file from another program's
PRAGMA user_version = 2;

-- A device as one OpenCL runtime describes it: what it said, word for word, the
-- normalised name made from that, and the limits that decide which configurations
-- can run. Memory sizes are those of the first sight; they differ between boots
-- and do not make another device.
CREATE TABLE device (
    id                     INTEGER PRIMARY KEY,
    vendor                 TEXT NOT NULL, -- normalised, such as 'amd'
    architecture           TEXT NOT NULL, -- 'gfx90a', 'sm_90', 'haswell'
    model                  TEXT NOT NULL, -- 'instinct-mi250x', 'epyc-2cu'
    runtime                TEXT NOT NULL, -- 'pocl', 'rusticl', 'nvidia': never mixed up
    type                   TEXT NOT NULL CHECK (type IN ('cpu', 'gpu', 'accelerator', 'other')),
    platform_name          TEXT NOT NULL, -- verbatim from here on
    device_name            TEXT NOT NULL,
    device_vendor          TEXT NOT NULL,
    board_name             TEXT NOT NULL, -- '' where the runtime has none
    nv_major               INTEGER NOT NULL CHECK (nv_major >= 0), -- compute capability; 0: none
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
    subgroups              TEXT NOT NULL DEFAULT '', -- '': none; 'fixed 32'; 'choice 8,16,32': on request
    global_memory_bytes    INTEGER NOT NULL CHECK (global_memory_bytes >= 0),
    max_allocation_bytes   INTEGER NOT NULL CHECK (max_allocation_bytes >= 0),
    UNIQUE (vendor, architecture, model, runtime, type, platform_name, device_name, device_vendor,
            board_name, nv_major, nv_minor, compute_units, max_work_group_size,
            max_work_item_size_0, max_work_item_size_1, max_work_item_size_2, local_memory_bytes,
            local_memory_is_global, vector_width_float, has_fp64, has_compiler, subgroups)
) STRICT;

-- Software around the device. Results are only directly comparable within one.
CREATE TABLE environment (
    id               INTEGER PRIMARY KEY,
    device           INTEGER NOT NULL REFERENCES device (id),
    platform_version TEXT NOT NULL,
    device_version   TEXT NOT NULL,
    driver_version   TEXT NOT NULL,
    library_version  TEXT NOT NULL, -- of libsqa_cl
    UNIQUE (device, platform_version, device_version, driver_version, library_version)
) STRICT;

-- What of a problem decides which configuration is best; problems of one class
-- share a result. Buckets are round(log2(n)).
CREATE TABLE problem_class (
    id          INTEGER PRIMARY KEY,
    operation   TEXT NOT NULL,    -- 'forward'
    dtype       TEXT NOT NULL,    -- storage: 'f32'
    head_dim    INTEGER NOT NULL CHECK (head_dim > 0),
    value_dim   INTEGER NOT NULL CHECK (value_dim > 0),
    mask        TEXT NOT NULL,    -- 'none', 'causal', 'causal+window'
    group_size  INTEGER NOT NULL CHECK (group_size > 0), -- output heads per key/value head
    q_bucket    INTEGER NOT NULL, -- of the number of queries
    kv_bucket   INTEGER NOT NULL, -- of the number of keys
    rows_bucket INTEGER NOT NULL, -- of batch * output heads
    UNIQUE (operation, dtype, head_dim, value_dim, mask, group_size, q_bucket, kv_bucket,
            rows_bucket)
) STRICT;

-- One configuration, tried once. Figures that were not reached are NULL.
CREATE TABLE trial (
    id             INTEGER PRIMARY KEY,
    environment    INTEGER NOT NULL REFERENCES environment (id),
    class          INTEGER NOT NULL REFERENCES problem_class (id),
    batch          INTEGER NOT NULL CHECK (batch >= 0), -- the very problem it ran on
    q_heads        INTEGER NOT NULL CHECK (q_heads > 0),
    kv_heads       INTEGER NOT NULL CHECK (kv_heads > 0),
    q_length       INTEGER NOT NULL CHECK (q_length >= 0),
    kv_length      INTEGER NOT NULL CHECK (kv_length >= 0),
    causal         TEXT NOT NULL,    -- 'none', 'bottom-right', 'top-left'
    write_lse      INTEGER NOT NULL CHECK (write_lse IN (0, 1)),
    layout         TEXT NOT NULL CHECK (layout IN ('bhsd', 'bshd', 'strided')),
    family         TEXT NOT NULL,
    space_version  INTEGER NOT NULL, -- of the family: what its parameters mean
    config         TEXT NOT NULL,    -- 'NAME=value,...', every parameter
    source_hash    TEXT,             -- of the generated kernel
    status         TEXT NOT NULL CHECK (status IN ('ok', 'compile_failed', 'wrong_result',
                   'timeout', 'crashed', 'too_noisy', 'rejected')),
    median_ms      REAL CHECK (median_ms > 0),
    spread_ms      REAL CHECK (spread_ms >= 0), -- interquartile range
    max_error      REAL CHECK (max_error >= 0), -- against the fp64 reference, over max |V|
    gflops         REAL CHECK (gflops >= 0),
    ceiling_gflops REAL CHECK (ceiling_gflops > 0), -- the device's FMA rate in the same run
    build_ms       REAL CHECK (build_ms >= 0),
    samples        INTEGER NOT NULL CHECK (samples >= 0),
    seed           INTEGER NOT NULL, -- of the search that proposed it, as signed 64 bits
    final          INTEGER NOT NULL CHECK (final IN (0, 1)), -- measured against the other finalists
    message        TEXT NOT NULL,    -- why it failed; '' when ok
    recorded_at    TEXT NOT NULL,    -- UTC, '2026-01-31T12:00:00Z'
    pattern        TEXT NOT NULL DEFAULT '', -- of the problem beside causal, as in a shape:
                                     -- 'window=128:0,globals=16'
    CHECK (status <> 'ok' OR (median_ms IS NOT NULL AND gflops IS NOT NULL
                              AND max_error IS NOT NULL)),
    UNIQUE (id, environment, class)  -- what a winner refers to
) STRICT;

CREATE INDEX trial_by_config ON trial (environment, class, family, config);
CREATE INDEX trial_by_speed ON trial (environment, class, gflops) WHERE status = 'ok';

-- The finalist that won, per environment and class.
CREATE TABLE winner (
    environment INTEGER NOT NULL,
    class       INTEGER NOT NULL,
    trial       INTEGER NOT NULL,
    PRIMARY KEY (environment, class),
    FOREIGN KEY (trial, environment, class) REFERENCES trial (id, environment, class)
) STRICT, WITHOUT ROWID;

-- What an import or a merge would not take in, as it was handed over, so that it can
-- be looked at. Nothing here is ever dispatched, exported or merged.
CREATE TABLE quarantine (
    id          INTEGER PRIMARY KEY,
    digest      TEXT NOT NULL UNIQUE, -- of the whole line: the same one is kept once
    source      TEXT NOT NULL,        -- the file it came from
    place       TEXT NOT NULL,        -- 'line 3', 'trial 17'
    reason      TEXT NOT NULL,
    bytes       INTEGER NOT NULL CHECK (bytes >= 0), -- length of the whole line
    line        TEXT NOT NULL,        -- its first 4 KiB, what is no UTF-8 replaced
    recorded_at TEXT NOT NULL
) STRICT;

-- Every trial with all that is known about it, flat.
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

-- What the library dispatches from: per environment and class the winner, or the
-- fastest trial while no final has been held. Only results that were found correct.
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
