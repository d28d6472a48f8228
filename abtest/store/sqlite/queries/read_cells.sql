SELECT
    variant,
    json_group_array(day),
    json_group_array(lag),
    json_group_array(ordinal),
    json_group_array(conversions),
    json_group_array(total),
    json_group_array(squares_high),
    json_group_array(squares_low)
FROM cell WHERE experiment = ? GROUP BY variant
