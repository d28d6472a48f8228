SELECT
    variant,
    json_group_array(day),
    json_group_array(ordinal_a),
    json_group_array(lag_a),
    json_group_array(ordinal_b),
    json_group_array(lag_b),
    json_group_array(conversions),
    json_group_array(product_high),
    json_group_array(product_low),
    json_group_array(count_amount),
    json_group_array(amount_count)
FROM pair WHERE experiment = ? GROUP BY variant
