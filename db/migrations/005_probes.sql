-- What was asked of compilers beyond trials: whether they do right by instructions of their device.

CREATE TABLE probe (
    environment INTEGER NOT NULL REFERENCES environment (id),
    operation   TEXT NOT NULL,
    family      TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('ok', 'compile_failed', 'wrong_result', 'timeout',
                'crashed', 'rejected')),
    message     TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    PRIMARY KEY (environment, operation, family)
) STRICT, WITHOUT ROWID;
