-- The next ?3 visitors of experiment ?1 after ?2, and who of them is a person alone who
-- converted at no step. (The plus lets the index of an expression be used.)
SELECT
    visitor,
    NOT EXISTS (SELECT 1 FROM person WHERE person.node = outcome.visitor)
        AND NOT EXISTS (SELECT 1 FROM person WHERE representative = outcome.visitor)
        AND NOT EXISTS (
            SELECT 1 FROM event
            WHERE coalesce(event.visitor, event.customer) = +outcome.visitor AND kind = 2
        ),
    variant, day, variants_seen, detail, exposed_at, journey
FROM outcome
WHERE experiment = ?1 AND visitor > ?2
ORDER BY visitor
LIMIT ?3
