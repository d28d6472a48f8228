INSERT INTO pair VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    conversions = conversions + excluded.conversions,
    product_high = product_high + excluded.product_high
        + ((product_low + excluded.product_low) >> 32),
    product_low = (product_low + excluded.product_low) & 0xFFFFFFFF,
    count_amount = count_amount + excluded.count_amount,
    amount_count = amount_count + excluded.amount_count
