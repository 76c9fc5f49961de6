//! The tables: columns and their types. The primary key is made after the rows are in.

/// A table's columns, as in CREATE TABLE.
pub(super) fn columns(table: &str) -> &'static str {
    match table {
        "customers" => {
            "id integer NOT NULL, email text NOT NULL, name text NOT NULL, phone text, \
             country text NOT NULL, tier text NOT NULL, newsletter boolean NOT NULL, \
             birth_date date, created_at timestamp NOT NULL, last_login_at timestamp"
        }
        "addresses" => {
            "id integer NOT NULL, customer_id integer NOT NULL, kind text NOT NULL, \
             street text NOT NULL, postal_code text NOT NULL, city text NOT NULL, \
             country text NOT NULL"
        }
        "categories" => {
            "id integer NOT NULL, parent_id integer, name text NOT NULL, slug text NOT NULL"
        }
        "products" => {
            "id integer NOT NULL, sku text NOT NULL, name text NOT NULL, \
             description text NOT NULL, category_id integer NOT NULL, brand text NOT NULL, \
             price numeric(10,2) NOT NULL, stock integer NOT NULL, attributes jsonb NOT NULL, \
             tags text[] NOT NULL, discontinued_at timestamp, created_at timestamp NOT NULL"
        }
        "orders" => {
            "id bigint NOT NULL, customer_id integer NOT NULL, \
             shipping_address_id integer NOT NULL, status text NOT NULL, coupon text, \
             total numeric(12,2) NOT NULL, created_at timestamp NOT NULL, \
             shipped_at timestamp, delivered_at timestamp"
        }
        "order_items" => {
            "id bigint NOT NULL, order_id bigint NOT NULL, product_id integer NOT NULL, \
             quantity integer NOT NULL, unit_price numeric(10,2) NOT NULL"
        }
        "payments" => {
            "id bigint NOT NULL, order_id bigint NOT NULL, method text NOT NULL, \
             status text NOT NULL, amount numeric(12,2) NOT NULL, failure_code text, \
             created_at timestamp NOT NULL"
        }
        "reviews" => {
            "id bigint NOT NULL, product_id integer NOT NULL, customer_id integer NOT NULL, \
             order_id bigint NOT NULL, rating smallint NOT NULL, title text, \
             body text NOT NULL, helpful_votes integer NOT NULL, created_at timestamp NOT NULL"
        }
        _ => {
            "id bigint NOT NULL, type text NOT NULL, session_id uuid NOT NULL, \
             customer_id integer, product_id integer, created_at timestamptz NOT NULL, \
             payload jsonb NOT NULL"
        }
    }
}
