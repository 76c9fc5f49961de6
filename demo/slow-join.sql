-- Which customers in Nice bought unusually much of something in March 2026?
-- "Unusually much" is more than twice what an order of that product has on average.
SELECT c.id, c.name, c.email, o.id AS order_id, o.created_at,
       p.name AS product, oi.quantity, oi.quantity * oi.unit_price AS amount
FROM customers c
JOIN addresses a ON a.customer_id = c.id
JOIN orders o ON o.customer_id = c.id
JOIN order_items oi ON oi.order_id = o.id
JOIN products p ON p.id = oi.product_id
WHERE a.kind = 'billing'
  AND a.country = 'FR'
  AND a.city = 'Nice'
  AND o.status = 'delivered'
  AND date_trunc('month', o.created_at) = '2026-03-01'
  AND oi.quantity > 2 * (SELECT avg(i.quantity) FROM order_items i WHERE i.product_id = p.id)
ORDER BY amount DESC, oi.id, a.id;
