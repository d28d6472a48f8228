-- Names of attributes at exposures of the newest ?2 visitors of experiment ?1.
SELECT DISTINCT attribute.key
FROM (
    SELECT visitor FROM outcome WHERE experiment = ?1 ORDER BY visitor DESC LIMIT ?2
) AS recent
CROSS JOIN event
    ON coalesce(event.visitor, event.customer) = +recent.visitor
    AND kind = 1 AND event.experiment = ?1
CROSS JOIN json_each(event.attributes) AS attribute
ORDER BY attribute.key
