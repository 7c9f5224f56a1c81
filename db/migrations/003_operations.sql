-- Problems of any operation: a class is a key, a problem is one text, instead of columns that
-- only attention has. Nothing is lost: trials, winners and quarantine keep their numbers.
-- What was not recorded stays unknown: yardsticks, ceilings of memory, and of which candidates a winner
-- was the best. The functions are the store's (tuner/store/shape_functions.h).

CREATE TABLE problem_class_3 (
    id        INTEGER PRIMARY KEY,
    operation TEXT NOT NULL,
    key       TEXT NOT NULL,
    UNIQUE (operation, key)
) STRICT;
INSERT INTO problem_class_3
SELECT id, operation,
       'dtype=' || dtype || ',d=' || head_dim || ',dv=' || value_dim || ',mask=' || mask ||
       ',group=' || group_size || ',q=' || q_bucket || ',kv=' || kv_bucket || ',rows=' || rows_bucket
FROM problem_class;

CREATE TABLE problem_of_trial (trial INTEGER PRIMARY KEY, shape TEXT NOT NULL) STRICT;
INSERT INTO problem_of_trial
SELECT trial.id, shape_of_version_2(operation, dtype, head_dim, value_dim, batch, q_heads,
                                    kv_heads, q_length, kv_length, causal, pattern, write_lse,
                                    layout)
FROM trial JOIN problem_class ON problem_class.id = trial.class;

CREATE TABLE problem (
    id     INTEGER PRIMARY KEY,
    class  INTEGER NOT NULL REFERENCES problem_class (id),
    shape  TEXT NOT NULL,
    fields TEXT NOT NULL,
    UNIQUE (class, shape),
    UNIQUE (id, class)
) STRICT;
INSERT INTO problem (class, shape, fields)
SELECT class, shape, shape_fields(shape)
FROM trial JOIN problem_of_trial ON problem_of_trial.trial = trial.id
GROUP BY class, shape ORDER BY min(trial.id);

CREATE TABLE trial_3 (
    id             INTEGER PRIMARY KEY,
    environment    INTEGER NOT NULL REFERENCES environment (id),
    problem        INTEGER NOT NULL,
    class          INTEGER NOT NULL,
    family         TEXT NOT NULL,
    space_version  INTEGER NOT NULL,
    candidates     TEXT,
    config         TEXT NOT NULL,
    source_hash    TEXT,
    status         TEXT NOT NULL CHECK (status IN ('ok', 'compile_failed', 'wrong_result',
                   'timeout', 'crashed', 'too_noisy', 'rejected')),
    median_ms      REAL CHECK (median_ms > 0),
    spread_ms      REAL CHECK (spread_ms >= 0),
    yardstick_ms   REAL CHECK (yardstick_ms > 0),
    max_error      REAL CHECK (max_error >= 0),
    flop           REAL CHECK (flop >= 0),
    bytes          REAL CHECK (bytes >= 0),
    ceiling_gflops REAL CHECK (ceiling_gflops > 0),
    ceiling_matrix_gflops REAL CHECK (ceiling_matrix_gflops > 0),
    ceiling_copy_gbs      REAL CHECK (ceiling_copy_gbs > 0),
    ceiling_read_gbs      REAL CHECK (ceiling_read_gbs > 0),
    build_ms       REAL CHECK (build_ms >= 0),
    samples        INTEGER NOT NULL CHECK (samples >= 0),
    seed           INTEGER NOT NULL,
    final          INTEGER NOT NULL CHECK (final IN (0, 1)),
    message        TEXT NOT NULL,
    recorded_at    TEXT NOT NULL,
    CHECK (status <> 'ok' OR (median_ms IS NOT NULL AND flop IS NOT NULL
                              AND max_error IS NOT NULL)),
    FOREIGN KEY (problem, class) REFERENCES problem (id, class),
    UNIQUE (id, environment, class)
) STRICT;
-- The work is that of the shape, where the rate that was stored says no other.
INSERT INTO trial_3
SELECT trial.id, environment, problem.id, trial.class, family, space_version, NULL, config,
       source_hash, status, median_ms, spread_ms, NULL, max_error,
       iif(gflops IS NULL OR abs(shape_flop(problem.shape) / (gflops * median_ms * 1e6) - 1) < 1e-3,
           shape_flop(problem.shape), gflops * median_ms * 1e6),
       shape_bytes(problem.shape), ceiling_gflops, NULL, NULL, NULL, build_ms, samples, seed,
       final, message, recorded_at
FROM trial
JOIN problem_of_trial ON problem_of_trial.trial = trial.id
JOIN problem ON problem.class = trial.class AND problem.shape = problem_of_trial.shape
ORDER BY trial.id;

DROP TABLE problem_of_trial;
DROP TABLE trial;
ALTER TABLE trial_3 RENAME TO trial;
DROP TABLE problem_class;
ALTER TABLE problem_class_3 RENAME TO problem_class;

CREATE INDEX trial_by_config ON trial (environment, problem, family, config);
CREATE INDEX trial_by_speed ON trial (environment, problem, median_ms) WHERE status = 'ok';
