-- What is read of the tuning database, by the library and by people: dropped and made
-- anew whenever a file is made or brought up. No migration knows them.

-- What a trial reached of what was possible. The fraction of the ceiling is of the rate of
-- multiply-adds (of the matrix units, where the kernel uses them); that of the roofline
-- also knows problems which memory bounds. NULL: not timed, or no ceiling known; one that was
-- exceeded was none. Against the yardstick, trials of different minutes can be compared.
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

-- Every trial with all that is known about it, flat.
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

-- The best trial of each environment and class that no final was held for: of one problem
-- the fastest, of the problems of a class the one nearest to its roofline. Only results
-- that were found correct.
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

-- What a model found best for each environment and class that nothing was measured of.
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

-- What the library dispatches from: per environment and class the winner, or the leader
-- while no final has been held, or what a model found, which `modelled` tells. Environments are
-- compared so that who asks for one of them need not wait for the others.
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

-- For people: a view per operation with its fields as columns. What a shape leaves out has
-- its default; configurations are JSON.

-- `variant` is the name that the heads have in a model of `model_heads`: as many as the
-- same device was tuned with at most for a problem that differs in its heads alone.
CREATE VIEW best_forward AS
WITH compared AS (
    SELECT *, max(max(fields ->> 'hq', fields ->> 'hkv')) OVER (
        PARTITION BY environment, json_remove(fields, '$.hq', '$.hkv')) AS model_heads
    FROM best WHERE operation = 'forward'),
variant (name, q_quarters, kv_quarters) AS (
    VALUES ('mha', 4, 4), ('gqa', 4, 1), ('sqa', 2, 1), ('ssqa', 2, 2), ('xsqa', 1, 1),
           ('lsqa', 3, 1), ('rsqa', 1, 2))
SELECT vendor, architecture, model, runtime, type, compute_units, driver_version,
       coalesce(variant.name,
                iif(fields ->> 'hkv' = 1, CASE fields ->> 'hq' WHEN model_heads THEN 'mqa'
                                          WHEN model_heads / 4 THEN 'xsmqa' END, NULL)) AS variant,
       model_heads,
       fields ->> 'hq' AS q_heads, fields ->> 'hkv' AS kv_heads,
       fields ->> 'b' AS batch, fields ->> 'nq' AS q_length, fields ->> 'nk' AS kv_length,
       fields ->> 'd' AS head_dim, coalesce(fields ->> 'dv', fields ->> 'd') AS value_dim,
       coalesce(fields ->> 'dtype', 'f32') AS dtype, fields ->> 'scale' AS scale,
       coalesce(fields ->> 'causal', 0) AS causal,
       coalesce(fields ->> 'align', 'bottom-right') AS align,
       fields ->> 'window' AS window, fields ->> 'globals' AS globals,
       fields ->> 'softcap' AS softcap, fields ->> 'alibi' AS alibi, fields ->> 'bias' AS bias,
       fields ->> 'mask' AS mask, coalesce(fields ->> 'keymask', 0) AS key_mask,
       coalesce(fields ->> 'sinks', 0) AS sinks, fields ->> 'blocks' AS blocks,
       fields ->> 'ragged' AS ragged, coalesce(fields ->> 'dropout', 0) AS dropout,
       fields ->> 'page' AS page, coalesce(fields ->> 'lse', 0) AS lse,
       coalesce(fields ->> 'layout', iif(fields ->> 'q' IS NULL, 'bhsd', 'strided')) AS layout,
       median_ms, spread_ms, gflops, gbs, fraction_of_ceiling, fraction_of_roofline, max_error,
       modelled, family,
       '{"' || replace(replace(config, '=', '":'), ',', ',"') || '}' AS config,
       winner, recorded_at, shape, id
FROM compared LEFT JOIN variant
    ON 4 * (fields ->> 'hq') = q_quarters * model_heads
   AND 4 * (fields ->> 'hkv') = kv_quarters * model_heads;

CREATE VIEW best_select_blocks AS
SELECT vendor, architecture, model, runtime, type, compute_units, driver_version,
       fields ->> 'hq' AS q_heads, fields ->> 'hkv' AS kv_heads,
       fields ->> 'b' AS batch, fields ->> 'nq' AS q_length, fields ->> 'nk' AS kv_length,
       fields ->> 'd' AS head_dim, coalesce(fields ->> 'dtype', 'f32') AS dtype,
       fields ->> 'scale' AS scale, coalesce(fields ->> 'causal', 0) AS causal,
       coalesce(fields ->> 'align', 'bottom-right') AS align, fields ->> 'blocks' AS blocks,
       fields ->> 'topk' AS top_k, coalesce(fields ->> 'sinkblocks', 0) AS sink_blocks,
       coalesce(fields ->> 'localblocks', 0) AS local_blocks,
       coalesce(fields ->> 'layout', iif(fields ->> 'q' IS NULL, 'bhsd', 'strided')) AS layout,
       median_ms, spread_ms, gflops, gbs, fraction_of_ceiling, fraction_of_roofline, max_error,
       modelled, family,
       '{"' || replace(replace(config, '=', '":'), ',', ',"') || '}' AS config,
       winner, recorded_at, shape, id
FROM best WHERE operation = 'select_blocks';

-- The stages of a backward pass: the matrix products, and what joins the scores; and the row
-- sums before them.
CREATE VIEW best_backward AS
SELECT vendor, architecture, model, runtime, type, compute_units, driver_version,
       coalesce(fields ->> 'grads', 'q+k+v') AS gradients,
       coalesce(fields ->> 'accumulate', 0) AS accumulate,
       fields ->> 'hq' AS q_heads, fields ->> 'hkv' AS kv_heads,
       fields ->> 'b' AS batch, fields ->> 'nq' AS q_length, fields ->> 'nk' AS kv_length,
       fields ->> 'd' AS head_dim, coalesce(fields ->> 'dv', fields ->> 'd') AS value_dim,
       coalesce(fields ->> 'dtype', 'f32') AS dtype, fields ->> 'scale' AS scale,
       coalesce(fields ->> 'causal', 0) AS causal,
       coalesce(fields ->> 'align', 'bottom-right') AS align,
       fields ->> 'window' AS window, fields ->> 'globals' AS globals,
       fields ->> 'softcap' AS softcap, fields ->> 'alibi' AS alibi, fields ->> 'bias' AS bias,
       fields ->> 'mask' AS mask, coalesce(fields ->> 'keymask', 0) AS key_mask,
       coalesce(fields ->> 'sinks', 0) AS sinks, fields ->> 'blocks' AS blocks,
       fields ->> 'ragged' AS ragged, coalesce(fields ->> 'dropout', 0) AS dropout,
       coalesce(fields ->> 'layout', iif(fields ->> 'q' IS NULL, 'bhsd', 'strided')) AS layout,
       median_ms, spread_ms, gflops, gbs, fraction_of_ceiling, fraction_of_roofline, max_error,
       modelled, family,
       iif(config = '', '{}',
           '{"' || replace(replace(config, '=', '":'), ',', ',"') || '}') AS config,
       winner, recorded_at, shape, id, operation
FROM best WHERE operation IN ('backward_core', 'backward_scores');

CREATE VIEW best_backward_delta AS
SELECT vendor, architecture, model, runtime, type, compute_units, driver_version,
       fields ->> 'b' AS batch, fields ->> 'heads' AS heads, fields ->> 'rows' AS q_length,
       fields ->> 'd' AS value_dim, coalesce(fields ->> 'dtype', 'f32') AS dtype,
       median_ms, spread_ms, gflops, gbs, fraction_of_ceiling, fraction_of_roofline, max_error,
       modelled, family,
       iif(config = '', '{}',
           '{"' || replace(replace(config, '=', '":'), ',', ',"') || '}') AS config,
       winner, recorded_at, shape, id
FROM best WHERE operation = 'backward_delta';

CREATE VIEW best_activation AS
SELECT vendor, architecture, model, runtime, type, compute_units, driver_version,
       operation = 'activation_backward' AS backward,
       fields ->> 'b' AS batch, fields ->> 'n' AS length, fields ->> 'd' AS dim,
       coalesce(fields ->> 'dtype', 'f32') AS dtype, coalesce(fields ->> 'act', 'none') AS activation,
       coalesce(fields ->> 'gated', 0) AS gated, coalesce(fields ->> 'residual', 0) AS residual,
       median_ms, spread_ms, gflops, gbs, fraction_of_ceiling, fraction_of_roofline, max_error,
       modelled, family,
       '{"' || replace(replace(config, '=', '":'), ',', ',"') || '}' AS config,
       winner, recorded_at, shape, id
FROM best WHERE operation IN ('activation', 'activation_backward');

CREATE VIEW best_matmul AS
SELECT vendor, architecture, model, runtime, type, compute_units, driver_version,
       fields ->> 'b' AS batch, fields ->> 'm' AS m, fields ->> 'n' AS n, fields ->> 'k' AS k,
       coalesce(fields ->> 'ta', 0) AS transpose_a, coalesce(fields ->> 'tb', 0) AS transpose_b,
       coalesce(fields ->> 'dtype', 'f32') AS dtype, coalesce(fields ->> 'alpha', 1.0) AS alpha,
       coalesce(fields ->> 'beta', 0.0) AS beta, coalesce(fields ->> 'bias', 0) AS bias,
       coalesce(fields ->> 'act', 'none') AS activation, coalesce(fields ->> 'gated', 0) AS gated,
       coalesce(fields ->> 'residual', 0) AS residual,
       iif(coalesce(fields ->> 'sa', fields ->> 'sb', fields ->> 'sc', fields ->> 'sr') IS NULL,
           'packed', 'strided') AS layout,
       median_ms, spread_ms, gflops, gbs, fraction_of_ceiling, fraction_of_roofline, max_error,
       modelled, family,
       '{"' || replace(replace(config, '=', '":'), ',', ',"') || '}' AS config,
       winner, recorded_at, shape, id
FROM best WHERE operation = 'matmul';

CREATE VIEW best_merge AS
SELECT vendor, architecture, model, runtime, type, compute_units, driver_version,
       coalesce(fields ->> 'b', 1) AS batch, coalesce(fields ->> 'heads', 1) AS heads,
       fields ->> 'n' AS length, fields ->> 'd' AS dim,
       coalesce(fields ->> 'dtype', 'f32') AS dtype,
       iif(coalesce(fields ->> 'oa', fields ->> 'ob', fields ->> 'o') IS NULL,
           'packed', 'strided') AS layout,
       median_ms, spread_ms, gflops, gbs, fraction_of_ceiling, fraction_of_roofline, max_error,
       modelled, family,
       '{"' || replace(replace(config, '=', '":'), ',', ',"') || '}' AS config,
       winner, recorded_at, shape, id
FROM best WHERE operation = 'merge';

CREATE VIEW best_rope AS
SELECT vendor, architecture, model, runtime, type, compute_units, driver_version,
       fields ->> 'b' AS batch, fields ->> 'heads' AS heads, fields ->> 'n' AS length,
       fields ->> 'd' AS dim, coalesce(fields ->> 'rotary', fields ->> 'd' / 2 * 2) AS rotary,
       coalesce(fields ->> 'pairs', 'interleaved') AS pairs,
       coalesce(fields ->> 'dtype', 'f32') AS dtype,
       iif(coalesce(fields ->> 'x', fields ->> 'y') IS NULL, 'packed', 'strided') AS layout,
       median_ms, spread_ms, gflops, gbs, fraction_of_ceiling, fraction_of_roofline, max_error,
       modelled, family,
       iif(config = '', '{}',
           '{"' || replace(replace(config, '=', '":'), ',', ',"') || '}') AS config,
       winner, recorded_at, shape, id
FROM best WHERE operation = 'rope';

CREATE VIEW best_kv_append AS
SELECT vendor, architecture, model, runtime, type, compute_units, driver_version,
       fields ->> 'b' AS batch, fields ->> 'hkv' AS kv_heads, fields ->> 'n' AS length,
       fields ->> 'nk' AS capacity, fields ->> 'd' AS head_dim,
       coalesce(fields ->> 'dv', fields ->> 'd') AS value_dim, fields ->> 'page' AS page,
       coalesce(fields ->> 'rotary', 0) AS rotary, coalesce(fields ->> 'dtype', 'f32') AS dtype,
       fields ->> 'total' AS total,
       iif(coalesce(fields ->> 'k', fields ->> 'v', fields ->> 'kc', fields ->> 'vc') IS NULL,
           'packed', 'strided') AS layout,
       median_ms, spread_ms, gflops, gbs, fraction_of_ceiling, fraction_of_roofline, max_error,
       modelled, family,
       iif(config = '', '{}',
           '{"' || replace(replace(config, '=', '":'), ',', ',"') || '}') AS config,
       winner, recorded_at, shape, id
FROM best WHERE operation = 'kv_append';

CREATE VIEW best_norm AS
SELECT vendor, architecture, model, runtime, type, compute_units, driver_version,
       fields ->> 'b' AS batch, fields ->> 'heads' AS heads, fields ->> 'n' AS length,
       fields ->> 'd' AS dim, coalesce(fields ->> 'kind', 'rms') AS kind,
       coalesce(fields ->> 'weight', 0) AS weight, coalesce(fields ->> 'bias', 0) AS bias,
       coalesce(fields ->> 'dtype', 'f32') AS dtype,
       iif(coalesce(fields ->> 'x', fields ->> 'y') IS NULL, 'packed', 'strided') AS layout,
       median_ms, spread_ms, gflops, gbs, fraction_of_ceiling, fraction_of_roofline, max_error,
       modelled, family,
       iif(config = '', '{}',
           '{"' || replace(replace(config, '=', '":'), ',', ',"') || '}') AS config,
       winner, recorded_at, shape, id
FROM best WHERE operation = 'norm';

CREATE VIEW best_norm_backward AS
SELECT vendor, architecture, model, runtime, type, compute_units, driver_version,
       fields ->> 'b' AS batch, fields ->> 'heads' AS heads, fields ->> 'n' AS length,
       fields ->> 'd' AS dim, coalesce(fields ->> 'kind', 'rms') AS kind,
       coalesce(fields ->> 'weight', 0) AS weight, coalesce(fields ->> 'bias', 0) AS bias,
       coalesce(fields ->> 'dtype', 'f32') AS dtype,
       coalesce(fields ->> 'wanted', 'all') AS gradients,
       coalesce(fields ->> 'add', 'none') AS accumulate,
       iif(coalesce(fields ->> 'x', fields ->> 'dy', fields ->> 'dx') IS NULL,
           'packed', 'strided') AS layout,
       median_ms, spread_ms, gflops, gbs, fraction_of_ceiling, fraction_of_roofline, max_error,
       modelled, family,
       iif(config = '', '{}',
           '{"' || replace(replace(config, '=', '":'), ',', ',"') || '}') AS config,
       winner, recorded_at, shape, id
FROM best WHERE operation = 'norm_backward';

CREATE VIEW best_linear AS
SELECT vendor, architecture, model, runtime, type, compute_units, driver_version,
       fields ->> 'hq' AS q_heads, fields ->> 'hkv' AS kv_heads,
       fields ->> 'b' AS batch, fields ->> 'nq' AS q_length, fields ->> 'nk' AS kv_length,
       fields ->> 'd' AS head_dim, coalesce(fields ->> 'dv', fields ->> 'd') AS value_dim,
       coalesce(fields ->> 'dtype', 'f32') AS dtype, fields ->> 'scale' AS scale,
       coalesce(fields ->> 'causal', 0) AS causal,
       coalesce(fields ->> 'feature', 'identity') AS feature,
       coalesce(fields ->> 'decay', 'none') AS decay, coalesce(fields ->> 'delta', 0) AS delta,
       coalesce(fields ->> 'normalise', 0) AS normalise,
       coalesce(fields ->> 'state', 'none') AS state, fields ->> 'ragged' AS ragged,
       coalesce(fields ->> 'layout', iif(fields ->> 'q' IS NULL, 'bhsd', 'strided')) AS layout,
       median_ms, spread_ms, gflops, gbs, fraction_of_ceiling, fraction_of_roofline, max_error,
       modelled, family,
       iif(config = '', '{}',
           '{"' || replace(replace(config, '=', '":'), ',', ',"') || '}') AS config,
       winner, recorded_at, shape, id, operation
FROM best WHERE operation IN ('linear', 'linear_backward');
