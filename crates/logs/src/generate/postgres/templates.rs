use super::super::Random;

/// A statement with places for values, and the shape it must be told as.
pub(super) struct Template {
    /// `{n}` is a number, `{s}` a string, `{l}` a list of numbers, `{r}` rows of VALUES.
    pub text: &'static str,
    /// With `$1`, `$2` for the extended protocol: as many bound values.
    pub bound: u64,
    /// The shape.
    pub shape: &'static str,
}

const fn template(text: &'static str, bound: u64, shape: &'static str) -> Template {
    Template { text, bound, shape }
}

/// The statements of the made-up shop.
pub(super) static TEMPLATES: [Template; 16] = [
    template(
        "SELECT id, name, price FROM products WHERE id = {n}",
        0,
        "SELECT id, name, price FROM products WHERE id = $1",
    ),
    template(
        "SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status = {s} AND o.created_at > {s} ORDER BY o.created_at DESC LIMIT {n}",
        0,
        "SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status = $1 AND o.created_at > $2 ORDER BY o.created_at DESC LIMIT $3",
    ),
    template(
        "select *\nfrom order_items\nwhere order_id in ({l})\n  and quantity > {n}",
        0,
        "SELECT * FROM order_items WHERE order_id IN ($1 /*, ... */) AND quantity > $2",
    ),
    template(
        "INSERT INTO events (kind, payload, at) VALUES {r} RETURNING id",
        0,
        "INSERT INTO events(kind, payload, at) VALUES ($1, $2, $3) /*, ... */ RETURNING id",
    ),
    template(
        "UPDATE products SET stock = stock - {n}, updated_at = now() WHERE id = {n}",
        0,
        "UPDATE products SET stock = stock - $1, updated_at = now() WHERE id = $2",
    ),
    template(
        "DELETE FROM carts WHERE updated_at < now() - interval {s}",
        0,
        "DELETE FROM carts WHERE updated_at < now() - INTERVAL $1",
    ),
    template(
        "SELECT count(*) FROM orders WHERE customer_id = $1 AND status <> $2",
        2,
        "SELECT count(*) FROM orders WHERE customer_id = $1 AND status <> $2",
    ),
    template(
        "SELECT p.category_id, sum(i.quantity * i.price) AS revenue\n\tFROM order_items i\n\tJOIN products p USING (product_id)\n\tGROUP BY 1\n\tHAVING sum(i.quantity) > $1\n\tORDER BY revenue DESC",
        1,
        "SELECT p.category_id, sum(i.quantity * i.price) AS revenue FROM order_items i JOIN products p USING (product_id) GROUP BY $2 HAVING sum(i.quantity) > $1 ORDER BY revenue DESC",
    ),
    template(
        "WITH recent AS (SELECT * FROM orders WHERE created_at > now() - interval {s}) SELECT c.id, count(r.id) FROM customers c LEFT JOIN recent r ON r.customer_id = c.id GROUP BY c.id",
        0,
        "WITH recent AS (SELECT * FROM orders WHERE created_at > now() - INTERVAL $1) SELECT c.id, count(r.id) FROM customers c LEFT JOIN recent r ON r.customer_id = c.id GROUP BY c.id",
    ),
    template(
        "SELECT /* controller:search,action:index */ id FROM products WHERE to_tsvector('simple', name) @@ plainto_tsquery({s}) AND price BETWEEN {n} AND {n}",
        0,
        "SELECT id FROM products WHERE to_tsvector($1, name) @@ plainto_tsquery($2) AND price BETWEEN $3 AND $4",
    ),
    template("BEGIN", 0, "BEGIN"),
    template("COMMIT", 0, "COMMIT"),
    template(
        "SELECT \"Users\".\"Id\", \"Users\".\"E-Mail\" FROM \"Users\" WHERE \"Users\".\"Id\" = $1",
        1,
        "SELECT \"Users\".\"Id\", \"Users\".\"E-Mail\" FROM \"Users\" WHERE \"Users\".\"Id\" = $1",
    ),
    template(
        "SELECT data->>'name' FROM documents WHERE data @> {s}::jsonb AND id = ANY (ARRAY[{l}])",
        0,
        "SELECT data ->> $1 FROM documents WHERE data @> $2::jsonb AND id = any(ARRAY[$3 /*, ... */])",
    ),
    template(
        "MERGE INTO stock s USING arrivals a ON s.product_id = a.product_id WHEN MATCHED THEN UPDATE SET amount = s.amount + a.amount WHEN NOT MATCHED THEN INSERT VALUES (a.product_id, a.amount, {n})",
        0,
        "MERGE INTO stock s USING arrivals a ON s.product_id = a.product_id WHEN matched THEN UPDATE SET amount = s.amount + a.amount WHEN NOT matched THEN INSERT VALUES (a.product_id, a.amount, $1)",
    ),
    template(
        "SELECT name FROM customers WHERE name = {s} OR email = E'a\\'b' -- comment ' here\n",
        0,
        "SELECT name FROM customers WHERE name = $1 OR email = $2",
    ),
];

const WORDS: [&str; 8] =
    ["new", "paid", "it''s", "Zürich", "a, b", "100%", "x -- y", "/* no comment */"];

/// The text with values put in.
pub(super) fn fill(template: &Template, random: &mut Random) -> String {
    let mut out = String::with_capacity(template.text.len() + 64);
    let mut rest = template.text;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        match &rest[at..at + 3] {
            "{n}" => out.push_str(&random.below(1_000_000).to_string()),
            "{s}" => string(&mut out, random),
            "{l}" => {
                let most = if random.below(50) == 0 { 300 } else { 8 };
                let length = 2 + random.below(most);
                for number in 0..length {
                    out.push_str(if number > 0 { ", " } else { "" });
                    out.push_str(&random.below(100_000).to_string());
                }
            }
            _ => {
                for number in 0..2 + random.below(4) {
                    out.push_str(if number > 0 { ", (" } else { "(" });
                    string(&mut out, random);
                    out.push_str(", ");
                    string(&mut out, random);
                    out.push_str(", '2026-03-01 12:00:00')");
                }
            }
        }
        rest = &rest[at + 3..];
    }
    out + rest
}

fn string(out: &mut String, random: &mut Random) {
    out.push('\'');
    out.push_str(random.pick(&WORDS));
    out.push(' ');
    out.push_str(&random.below(100_000).to_string());
    out.push('\'');
}
