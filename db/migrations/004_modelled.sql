-- Rows that a model made, told from what was measured by their status and a column of their own.

CREATE TABLE trial_4 (
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
                   'timeout', 'crashed', 'too_noisy', 'rejected', 'modelled')),
    median_ms      REAL CHECK (median_ms > 0),
    spread_ms      REAL CHECK (spread_ms >= 0),
    yardstick_ms   REAL CHECK (yardstick_ms > 0),
    max_error      REAL CHECK (max_error >= 0),
    modelled       REAL CHECK (modelled > 0 AND modelled <= 1),
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
    CHECK ((status = 'modelled') = (modelled IS NOT NULL)),
    CHECK (status <> 'modelled' OR (median_ms IS NULL AND samples = 0 AND NOT final)),
    FOREIGN KEY (problem, class) REFERENCES problem (id, class),
    UNIQUE (id, environment, class)
) STRICT;

INSERT INTO trial_4
SELECT id, environment, problem, class, family, space_version, candidates, config, source_hash,
       status, median_ms, spread_ms, yardstick_ms, max_error, NULL, flop, bytes, ceiling_gflops,
       ceiling_matrix_gflops, ceiling_copy_gbs, ceiling_read_gbs, build_ms, samples, seed, final,
       message, recorded_at
FROM trial ORDER BY id;

DROP TABLE trial;
ALTER TABLE trial_4 RENAME TO trial;
CREATE INDEX trial_by_config ON trial (environment, problem, family, config);
CREATE INDEX trial_by_speed ON trial (environment, problem, median_ms) WHERE status = 'ok';
