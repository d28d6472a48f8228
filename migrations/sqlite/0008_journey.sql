-- How far the person has come of whom the visitor is the first exposed one, so that
-- what comes later is judged without reading earlier events. Null is "nowhere" for
-- somebody who did nothing, and otherwise "not known": then all events are read, once.
ALTER TABLE outcome ADD COLUMN journey TEXT;

-- It was needed for persons with very many events only.
DROP TRIGGER busy_forgotten;
DROP TABLE busy;
