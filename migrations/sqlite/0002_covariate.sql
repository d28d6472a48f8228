-- Sums of a covariate that experiments may declare, derived like all others from the
-- events. The scaled covariate of a visitor is the third member of outcome.detail,
-- where it is not 0.

CREATE TABLE covariate_cohort (
    experiment INTEGER NOT NULL,
    variant TEXT NOT NULL,
    day INTEGER NOT NULL,
    total INTEGER NOT NULL,
    squares_high INTEGER NOT NULL,
    squares_low INTEGER NOT NULL,
    PRIMARY KEY (experiment, variant, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE covariate_cell (
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
