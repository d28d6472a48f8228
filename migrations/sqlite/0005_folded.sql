-- What visitors contributed whose events were deleted by `abtest gc`: sums and times of
-- the same shape as the derived tables. They are not derived from any event; derived
-- tables are these plus what the remaining events add up to.

-- Events before the horizon are taken no more; no row until the first `abtest gc`.
CREATE TABLE retention (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    horizon INTEGER NOT NULL
) STRICT;

CREATE TABLE folded_cohort (
    experiment INTEGER NOT NULL,
    variant TEXT NOT NULL,
    day INTEGER NOT NULL,
    visitors INTEGER NOT NULL,
    contaminated INTEGER NOT NULL,
    PRIMARY KEY (experiment, variant, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE folded_cell (
    experiment INTEGER NOT NULL,
    variant TEXT NOT NULL,
    day INTEGER NOT NULL,
    lag INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    conversions INTEGER NOT NULL,
    total INTEGER NOT NULL,
    squares_high INTEGER NOT NULL,
    squares_low INTEGER NOT NULL,
    PRIMARY KEY (experiment, variant, day, lag, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE folded_pair (
    experiment INTEGER NOT NULL,
    variant TEXT NOT NULL,
    day INTEGER NOT NULL,
    ordinal_a INTEGER NOT NULL,
    lag_a INTEGER NOT NULL,
    ordinal_b INTEGER NOT NULL,
    lag_b INTEGER NOT NULL,
    conversions INTEGER NOT NULL,
    product_high INTEGER NOT NULL,
    product_low INTEGER NOT NULL,
    count_amount INTEGER NOT NULL,
    amount_count INTEGER NOT NULL,
    PRIMARY KEY (experiment, variant, day, ordinal_a, lag_a, ordinal_b, lag_b)
) STRICT, WITHOUT ROWID;

CREATE TABLE folded_step_cell (
    experiment INTEGER NOT NULL,
    variant TEXT NOT NULL,
    day INTEGER NOT NULL,
    lag INTEGER NOT NULL,
    step TEXT NOT NULL,
    visitors INTEGER NOT NULL,
    PRIMARY KEY (experiment, variant, day, lag, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE folded_covariate_cohort (
    experiment INTEGER NOT NULL,
    variant TEXT NOT NULL,
    day INTEGER NOT NULL,
    total INTEGER NOT NULL,
    squares_high INTEGER NOT NULL,
    squares_low INTEGER NOT NULL,
    PRIMARY KEY (experiment, variant, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE folded_covariate_cell (
    experiment INTEGER NOT NULL,
    variant TEXT NOT NULL,
    day INTEGER NOT NULL,
    lag INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    by_count INTEGER NOT NULL,
    by_amount_high INTEGER NOT NULL,
    by_amount_low INTEGER NOT NULL,
    PRIMARY KEY (experiment, variant, day, lag, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE folded_exposure_span (
    experiment INTEGER PRIMARY KEY,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT;

CREATE TABLE folded_step_reach (
    step TEXT PRIMARY KEY,
    last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
