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
PRAGMA user_version = 4;

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

CREATE VIEW timed AS
SELECT *,
       flop / (median_ms * 1e6) AS gflops,
       bytes / (median_ms * 1e6) AS gbs,
       yardstick_ms / median_ms AS speedup_vs_yardstick,
       nullif(min(flop / coalesce(ceiling_matrix_gflops, ceiling_gflops) / (median_ms * 1e6),
                  1.000001), 1.000001) AS fraction_of_ceiling,
       nullif(max(coalesce(flop / coalesce(ceiling_matrix_gflops, ceiling_gflops), 0.0),
                  coalesce(bytes / max(coalesce(ceiling_read_gbs, 0.0),
                                       coalesce(ceiling_copy_gbs, 0.0)), 0.0)), 0.0)
           / (median_ms * 1e6) AS fraction_of_roofline
FROM trial;

CREATE VIEW result AS
SELECT timed.id, timed.environment, timed.problem, timed.class,
       vendor, architecture, model, runtime, type, platform_name, device_name, device_vendor,
       board_name, nv_major, nv_minor, compute_units, max_work_group_size, max_work_item_size_0,
       max_work_item_size_1, max_work_item_size_2, local_memory_bytes, local_memory_is_global,
       vector_width_float, has_fp64, has_compiler, subgroups, global_memory_bytes,
       max_allocation_bytes,
       platform_version, device_version, driver_version, library_version,
       operation, key, shape, fields,
       family, space_version, candidates, config, source_hash, status, median_ms, spread_ms,
       yardstick_ms, speedup_vs_yardstick, max_error, modelled, flop, bytes, gflops, gbs, ceiling_gflops, ceiling_matrix_gflops,
       ceiling_copy_gbs, ceiling_read_gbs, fraction_of_ceiling, fraction_of_roofline, build_ms,
       samples, seed, final, message, recorded_at,
       EXISTS (SELECT 1 FROM winner WHERE winner.trial = timed.id
               AND winner.environment = timed.environment
               AND winner.class = timed.class) AS winner
FROM timed
JOIN environment ON environment.id = timed.environment
JOIN device ON device.id = environment.device
JOIN problem ON problem.id = timed.problem
JOIN problem_class ON problem_class.id = timed.class;

CREATE VIEW leader AS
SELECT environment, id FROM (
    SELECT environment, id, row_number() OVER (
        PARTITION BY environment, class
        ORDER BY fraction_of_roofline DESC NULLS LAST, gflops DESC, id DESC) AS place
    FROM (SELECT *, row_number() OVER (
              PARTITION BY environment, problem ORDER BY median_ms, id DESC) AS place_in_problem
          FROM timed
          WHERE status = 'ok' AND NOT EXISTS (
              SELECT 1 FROM winner JOIN trial AS won ON won.id = winner.trial
              WHERE winner.environment = timed.environment AND winner.class = timed.class
                AND won.status = 'ok'))
    WHERE place_in_problem = 1)
WHERE place = 1;

CREATE VIEW modelled_leader AS
SELECT environment, id FROM (
    SELECT environment, id, row_number() OVER (
        PARTITION BY environment, class ORDER BY modelled DESC, id DESC) AS place
    FROM trial
    WHERE status = 'modelled' AND NOT EXISTS (
        SELECT 1 FROM trial AS measured
        WHERE measured.environment = trial.environment AND measured.class = trial.class
          AND measured.status = 'ok'))
WHERE place = 1;

CREATE VIEW best AS
SELECT result.* FROM winner
JOIN result ON result.id = winner.trial AND result.environment = winner.environment
WHERE result.status = 'ok'
UNION ALL
SELECT result.* FROM leader
JOIN result ON result.id = leader.id AND result.environment = leader.environment
UNION ALL
SELECT result.* FROM modelled_leader
JOIN result ON result.id = modelled_leader.id
           AND result.environment = modelled_leader.environment;

INSERT INTO device VALUES(1,'paper','origami','tiger-8cu','pocl','cpu','Paper','Paper Tiger 8','Paper Inc.','',
    0,0,8,4096,4096,4096,4096,1048576,1,8,1,1,'',8589934592,2147483648);
INSERT INTO device VALUES(2,'stone','granite','lion','stonecl','gpu','Stone','Lion','Stone Inc.','Board 7',7,5,
    108,1024,1024,1024,64,49152,0,1,1,1,'fixed 32',85899345920,21474836480);
INSERT INTO environment VALUES(1,1,'OpenCL 3.0 Paper 1','OpenCL 3.0','1.0','0.1.0');
INSERT INTO environment VALUES(2,1,'OpenCL 3.0 Paper 1','OpenCL 3.0','2.0','0.1.0');
INSERT INTO environment VALUES(3,2,'OpenCL 3.0 Stone','OpenCL 3.0','535.1','0.1.0');
INSERT INTO problem_class VALUES(1,'forward','dtype=f32,d=64,dv=64,mask=none,group=1,q=10,kv=10,rows=3');
INSERT INTO problem_class VALUES(3,'forward','dtype=f32,d=64,dv=64,mask=causal,group=1,q=10,kv=10,rows=3');
INSERT INTO problem VALUES(1,1,'b=1,hq=8,hkv=8,nq=1024,nk=1024,d=64','{"b":1,"hq":8,"hkv":8,"nq":1024,"nk":1024,
    "d":64}');
INSERT INTO problem VALUES(5,3,'b=1,hq=8,hkv=8,nq=1024,nk=1024,d=64,causal,align=top-left,softcap=30,sinks',
    '{"b":1,"hq":8,"hkv":8,"nq":1024,"nk":1024,"d":64,"causal":true,"align":"top-left","softcap":30,"sinks":true}');
INSERT INTO trial VALUES(1,1,1,1,'naive',1,NULL,'CHUNK=16','00ff','ok',10.0,0.2,NULL,3e-07,NULL,2147483648.0,
    8388608.0,1000.0,NULL,NULL,NULL,31.5,11,-7,0,'','2026-01-01T12:00:00Z');
INSERT INTO trial VALUES(3,1,1,1,'naive',1,NULL,'CHUNK=16','00ff','ok',9.0,0.18,NULL,3e-07,NULL,2147483648.0,
    8388608.0,1000.0,NULL,NULL,NULL,31.5,11,3,1,'','2026-01-03T12:00:00Z');
INSERT INTO trial VALUES(5,1,1,1,'rows',1,NULL,'LANES=8','00ff','crashed',NULL,NULL,NULL,NULL,NULL,
    2147483648.0,8388608.0,NULL,NULL,NULL,NULL,31.5,0,5,0,'signal 11: "it''s gone"','2026-01-04T12:00:00Z');
INSERT INTO trial VALUES(7,2,1,1,'naive',1,NULL,'CHUNK=64','00ff','ok',5.0,0.1,NULL,3e-07,NULL,2147483648.0,
    8388608.0,1200.0,NULL,NULL,NULL,31.5,11,7,0,'','2026-01-05T12:00:00Z');
INSERT INTO trial VALUES(17,3,5,3,'naive',1,NULL,'CHUNK=16',NULL,'modelled',NULL,NULL,NULL,NULL,0.75,
    2147483648.0,8388608.0,NULL,NULL,NULL,NULL,NULL,0,-7,0,'a model','2026-01-01T12:00:00Z');
INSERT INTO winner VALUES(1,1,3);
