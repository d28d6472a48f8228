SELECT
    variant,
    json_group_array(day),
    json_group_array(lag),
    json_group_array(step),
    json_group_array(visitors)
FROM step_cell WHERE experiment = ? GROUP BY variant
