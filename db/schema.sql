-- The tuning database: which configuration of which kernel family was tried on
-- which device, for which problem, and what came of it.
--
-- A new file is made from this text. An older one is brought here by the numbered
-- files of migrations/, each of which takes the schema one version up; both ways
-- end in the same tables, and get the views of views.sql. Raise user_version here (and
-- SQA_SCHEMA_VERSION in src/tuning/schema.h) together with every new migration.
--
-- No column is an operation's own: what a problem is about is one text, which
-- `fields` has once more by name.
--
-- A trial is a fact: it is added once and never changed. What may change is which
-- trial counts as the winner.

PRAGMA application_id = 0x53514144; -- "SQAD": tells the file from another program's
PRAGMA user_version = 5;

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
-- share a result. Lengths are in the key as round(log2(n)).
CREATE TABLE problem_class (
    id        INTEGER PRIMARY KEY,
    operation TEXT NOT NULL, -- 'forward'
    key       TEXT NOT NULL, -- 'dtype=f32,d=64,dv=64,mask=causal,group=1,q=11,kv=11,rows=3'
    UNIQUE (operation, key)
) STRICT;

-- A problem that was tried, as sqa_problem_format() says it.
CREATE TABLE problem (
    id     INTEGER PRIMARY KEY,
    class  INTEGER NOT NULL REFERENCES problem_class (id),
    shape  TEXT NOT NULL, -- 'b=1,hq=8,hkv=2,nq=4096,nk=4096,d=64,causal,window=128:0'
    fields TEXT NOT NULL, -- {"b":1,"hq":8,...,"causal":true,...}
    UNIQUE (class, shape),
    UNIQUE (id, class) -- what a trial refers to
) STRICT;

-- One configuration, tried once. Figures that were not reached or are not known are NULL.
-- Times of a busy machine only mean something beside what else was measured then: the
-- yardstick, which is what runs for the problem without any database, in the same rounds;
-- and the ceilings, of a final's rounds, or the best samples of the run.
-- Of a device that nobody had, a model may say what a configuration would reach: such a row
-- was never tried, and says so by its status and in a column of its own.
CREATE TABLE trial (
    id             INTEGER PRIMARY KEY,
    environment    INTEGER NOT NULL REFERENCES environment (id),
    problem        INTEGER NOT NULL,
    class          INTEGER NOT NULL, -- the problem's
    family         TEXT NOT NULL,
    space_version  INTEGER NOT NULL, -- of the family: what its parameters mean
    candidates     TEXT,             -- digest of the family's parameters and their values then
    config         TEXT NOT NULL,    -- 'NAME=value,...', every parameter
    source_hash    TEXT,             -- of the generated kernel
    status         TEXT NOT NULL CHECK (status IN ('ok', 'compile_failed', 'wrong_result',
                   'timeout', 'crashed', 'too_noisy', 'rejected', 'modelled')),
    median_ms      REAL CHECK (median_ms > 0),
    spread_ms      REAL CHECK (spread_ms >= 0), -- interquartile range
    yardstick_ms   REAL CHECK (yardstick_ms > 0),
    max_error      REAL CHECK (max_error >= 0), -- against the fp64 reference, as the operation judges it
    modelled       REAL CHECK (modelled > 0 AND modelled <= 1), -- part of the rate of multiply-adds; NULL: no model was asked
    flop           REAL CHECK (flop >= 0),      -- floating-point operations that the result needs
    bytes          REAL CHECK (bytes >= 0),     -- that have to move at least once
    ceiling_gflops REAL CHECK (ceiling_gflops > 0),               -- f32 multiply-adds
    ceiling_matrix_gflops REAL CHECK (ceiling_matrix_gflops > 0), -- matrix units, where the kernel uses them
    ceiling_copy_gbs      REAL CHECK (ceiling_copy_gbs > 0),      -- read plus written
    ceiling_read_gbs      REAL CHECK (ceiling_read_gbs > 0),
    build_ms       REAL CHECK (build_ms >= 0),
    samples        INTEGER NOT NULL CHECK (samples >= 0),
    seed           INTEGER NOT NULL, -- of the search that proposed it, as signed 64 bits
    final          INTEGER NOT NULL CHECK (final IN (0, 1)), -- measured against the other finalists
    message        TEXT NOT NULL,    -- why it failed, or which model it was; '' when ok
    recorded_at    TEXT NOT NULL,    -- UTC, '2026-01-31T12:00:00Z'
    CHECK (status <> 'ok' OR (median_ms IS NOT NULL AND flop IS NOT NULL
                              AND max_error IS NOT NULL)),
    CHECK ((status = 'modelled') = (modelled IS NOT NULL)),
    CHECK (status <> 'modelled' OR (median_ms IS NULL AND samples = 0 AND NOT final)),
    FOREIGN KEY (problem, class) REFERENCES problem (id, class),
    UNIQUE (id, environment, class)  -- what a winner refers to
) STRICT;

CREATE INDEX trial_by_config ON trial (environment, problem, family, config);
CREATE INDEX trial_by_speed ON trial (environment, problem, median_ms) WHERE status = 'ok';

-- The finalist that won, per environment and class.
CREATE TABLE winner (
    environment INTEGER NOT NULL,
    class       INTEGER NOT NULL,
    trial       INTEGER NOT NULL,
    PRIMARY KEY (environment, class),
    FOREIGN KEY (trial, environment, class) REFERENCES trial (id, environment, class)
) STRICT, WITHOUT ROWID;

-- Whether the compiler of an environment does right by a family's instructions that OpenCL C does
-- not have: asked in a process of its own, the latest answer. It holds for one environment, so
-- that it is neither exported nor merged.
CREATE TABLE probe (
    environment INTEGER NOT NULL REFERENCES environment (id),
    operation   TEXT NOT NULL,
    family      TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('ok', 'compile_failed', 'wrong_result', 'timeout',
                'crashed', 'rejected')),
    message     TEXT NOT NULL, -- why it failed; '' when ok
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (environment, operation, family)
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
