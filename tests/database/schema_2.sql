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

-- What version 2 may have left behind: two devices, two drivers of one, problems of every kind,
-- failures, winners, a class that no final was held for, a pattern that no text says.
INSERT INTO device VALUES (1, 'paper', 'origami', 'tiger-8cu', 'pocl', 'cpu', 'Paper', 'Paper Tiger 8',
    'Paper Inc.', '', 0, 0, 8, 4096, 4096, 4096, 4096, 1048576, 1, 8, 1, 1, '', 8589934592, 2147483648);
INSERT INTO device VALUES (2, 'stone', 'granite', 'lion', 'stonecl', 'gpu', 'Stone', 'Lion', 'Stone Inc.',
    'Board 7', 7, 5, 108, 1024, 1024, 1024, 64, 49152, 0, 1, 1, 1, 'fixed 32', 85899345920, 21474836480);
INSERT INTO environment VALUES (1, 1, 'OpenCL 3.0 Paper 1', 'OpenCL 3.0', '1.0', '0.1.0');
INSERT INTO environment VALUES (2, 1, 'OpenCL 3.0 Paper 1', 'OpenCL 3.0', '2.0', '0.1.0');
INSERT INTO environment VALUES (3, 2, 'OpenCL 3.0 Stone', 'OpenCL 3.0', '535.1', '0.1.0');
INSERT INTO problem_class VALUES (1, 'forward', 'f32', 64, 64, 'none', 1, 10, 10, 3);
INSERT INTO problem_class VALUES (2, 'forward', 'f16', 128, 64, 'causal+window', 4, 12, 7, 3);
INSERT INTO problem_class VALUES (3, 'forward', 'f32', 64, 64, 'causal', 1, 10, 10, 3);
INSERT INTO problem_class VALUES (4, 'forward', 'f32', 64, 64, 'blocks', 1, 9, 7, 3);
INSERT INTO problem_class VALUES (5, 'forward', 'f32', 64, 64, 'stored', 1, 9, 9, 3);
INSERT INTO trial VALUES (1, 1, 1, 1, 8, 8, 1024, 1024, 'none', 0, 'bhsd',
    'naive', 1, 'CHUNK=16', '00ff', 'ok', 10.0, 0.2, 3e-07, 214.748365, 1000.0, 31.5, 11, -7, 0, '', '2026-01-01T12:00:00Z', '');
INSERT INTO trial VALUES (2, 1, 1, 1, 8, 8, 1024, 1024, 'none', 0, 'bhsd',
    'naive', 1, 'CHUNK=64', NULL, 'ok', 8.0, 0.16, 3e-07, 268.435456, 1000.0, 31.5, 11, 2, 0, '', '2026-01-02T12:00:00Z', '');
INSERT INTO trial VALUES (3, 1, 1, 1, 8, 8, 1024, 1024, 'none', 0, 'bhsd',
    'naive', 1, 'CHUNK=16', '00ff', 'ok', 9.0, 0.18, 3e-07, 238.609294, 1000.0, 31.5, 11, 3, 1, '', '2026-01-03T12:00:00Z', '');
INSERT INTO trial VALUES (4, 1, 1, 1, 8, 8, 1000, 1000, 'none', 1, 'bshd',
    'naive', 1, 'CHUNK=4', NULL, 'ok', 9.5, 0.19, 3e-07, 215.578947, 1000.0, 31.5, 11, 4, 0, '', '2026-01-03T12:00:00Z', '');
INSERT INTO trial VALUES (5, 1, 1, 1, 8, 8, 1024, 1024, 'none', 0, 'bhsd',
    'rows', 1, 'LANES=8', '00ff', 'crashed', NULL, NULL, NULL, NULL, NULL, 31.5, 0, 5, 0, 'signal 11: "it''s gone"', '2026-01-04T12:00:00Z', '');
INSERT INTO trial VALUES (6, 1, 1, 1, 8, 8, 1024, 1024, 'none', 0, 'bhsd',
    'naive', 1, 'CHUNK=1', NULL, 'too_noisy', 30.0, 0.6, 3e-07, 71.5827883, 1000.0, 31.5, 11, 6, 0, 'spread', '2026-01-04T12:00:00Z', '');
INSERT INTO trial VALUES (7, 2, 1, 1, 8, 8, 1024, 1024, 'none', 0, 'bhsd',
    'naive', 1, 'CHUNK=64', '00ff', 'ok', 5.0, 0.1, 3e-07, 429.49673, 1200.0, 31.5, 11, 7, 0, '', '2026-01-05T12:00:00Z', '');
INSERT INTO trial VALUES (8, 2, 1, 1, 8, 8, 1000, 1000, 'none', 0, 'bhsd',
    'naive', 1, 'CHUNK=16', NULL, 'ok', 4.5, 0.09, 3e-07, 455.111111, 1200.0, 31.5, 11, 8, 0, '', '2026-01-05T12:00:00Z', '');
INSERT INTO trial VALUES (9, 1, 2, 1, 8, 2, 4096, 4096, 'bottom-right', 1, 'bshd',
    'naive', 1, 'CHUNK=4', '00ff', 'ok', 12.0, 0.24, 0.0002, 133.152768, NULL, 31.5, 11, 9, 1, '', '2026-01-06T12:00:00Z', 'window=128:0');
INSERT INTO trial VALUES (10, 1, 3, 1, 8, 8, 1024, 1024, 'top-left', 0, 'bhsd',
    'naive', 1, 'CHUNK=4', NULL, 'ok', 7.0, 0.14, 3e-07, 153.541486, 1000.0, 31.5, 11, 10, 0, '', '2026-01-06T12:00:00Z', 'softcap=30,sinks');
INSERT INTO trial VALUES (11, 1, 3, 1, 8, 8, 1024, 1024, 'bottom-right', 0, 'strided',
    'naive', 1, 'CHUNK=4', '00ff', 'ok', 7.5, 0.15, 3e-07, 143.305387, 1000.0, 31.5, 11, 11, 0, '', '2026-01-07T12:00:00Z', '');
INSERT INTO trial VALUES (12, 3, 4, 1, 8, 8, 512, 512, 'none', 0, 'bhsd',
    'naive', 1, 'CHUNK=16', NULL, 'ok', 0.25, 0.005, 3e-07, 536.870912, 19000.0, 31.5, 11, 12, 1, '', '2026-01-08T12:00:00Z', 'blocks=64x64@0.25/h');
INSERT INTO trial VALUES (13, 3, 5, 1, 8, 8, 512, 512, 'none', 0, 'bhsd',
    'naive', 1, 'CHUNK=16', '00ff', 'ok', 0.5, 0.01, 3e-07, 1073.74182, 19000.0, 31.5, 11, 13, 0, '', '2026-01-08T12:00:00Z', 'mask=hq');
INSERT INTO trial VALUES (14, 3, 5, 1, 8, 8, 512, 512, 'none', 0, 'bhsd',
    'naive', 1, 'CHUNK=64', NULL, 'ok', 0.75, 0.015, 3e-07, 715.827883, 19000.0, 31.5, 11, 14, 0, '', '2026-01-09T12:00:00Z', 'mask=strided');
INSERT INTO trial VALUES (15, 3, 5, 1, 8, 8, 512, 512, 'none', 0, 'bhsd',
    'clever', 4, 'SPEED=9', '00ff', 'ok', 0.4, 0.008, 3e-07, 1342.17728, 19000.0, 31.5, 11, 15, 0, '', '2026-01-09T12:00:00Z', 'mask=hq');
INSERT INTO winner VALUES (1, 1, 3), (1, 2, 9), (3, 4, 12);
INSERT INTO quarantine VALUES (1, '0123456789abcdef', 'a file', 'line 3', 'schema is missing or not 1', 9,
    'not a line', '2026-01-10T12:00:00Z');
