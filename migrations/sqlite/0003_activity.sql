-- What happened on each calendar day of an experiment, derived like all sums; `changes`
-- grows by a random step with every change of a sum that belongs to the day, and is the
-- only number that says something of the past and not of the events.

CREATE TABLE activity (
    experiment INTEGER NOT NULL,
    day INTEGER NOT NULL,
    exposures INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    PRIMARY KEY (experiment, day)
) STRICT, WITHOUT ROWID;

INSERT INTO activity (experiment, day, exposures, steps, seconds, changes)
SELECT
    experiment, day, sum(exposures), sum(steps), sum(seconds),
    1 + (random() & 0xFFFFFFFF)
FROM (
    SELECT experiment, day, visitors AS exposures, 0 AS steps, 0 AS seconds FROM cohort
    UNION ALL
    SELECT experiment, day + lag, 0, visitors, 0 FROM step_cell
    UNION ALL
    SELECT experiment, day + lag, 0, 0, conversions FROM cell WHERE ordinal = 2
)
GROUP BY experiment, day;

-- When the visitor was first exposed: what a first conversion must be later than.
ALTER TABLE outcome ADD COLUMN exposed_at INTEGER NOT NULL DEFAULT 0;
UPDATE outcome SET exposed_at = (
    SELECT min(at)
    FROM event
    WHERE coalesce(event.visitor, event.customer) = +outcome.visitor
        AND kind = 1 AND event.experiment = outcome.experiment
);

-- Of persons with very many events, what further ones change nothing. Not derived, but
-- remembered: a person without a row is judged from all events.
CREATE TABLE busy (
    person INTEGER NOT NULL,
    experiment INTEGER NOT NULL,
    settled TEXT NOT NULL,
    PRIMARY KEY (person, experiment)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER busy_forgotten AFTER DELETE ON node BEGIN
    DELETE FROM busy WHERE person = OLD.id;
END;
