SELECT
    variant,
    json_group_array(day),
    json_group_array(lag),
    json_group_array(ordinal),
    json_group_array(by_count),
    json_group_array(by_amount_high),
    json_group_array(by_amount_low)
FROM covariate_cell WHERE experiment = ? GROUP BY variant
