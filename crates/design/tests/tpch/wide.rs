//! TPC-H's tables joined into one, as a spreadsheet would have them.

use std::collections::HashMap;
use std::fmt::Display;

use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};

/// The columns of each table, in the order of the specification; the first ones are the key.
pub const TABLES: [(&str, usize, &[&str]); 8] = [
    (
        "lineitem",
        2,
        &[
            "l_orderkey",
            "l_linenumber",
            "l_partkey",
            "l_suppkey",
            "l_quantity",
            "l_extendedprice",
            "l_discount",
            "l_tax",
            "l_returnflag",
            "l_linestatus",
            "l_shipdate",
            "l_commitdate",
            "l_receiptdate",
            "l_shipinstruct",
            "l_shipmode",
            "l_comment",
        ],
    ),
    (
        "orders",
        1,
        &[
            "o_orderkey",
            "o_custkey",
            "o_orderstatus",
            "o_totalprice",
            "o_orderdate",
            "o_orderpriority",
            "o_clerk",
            "o_shippriority",
            "o_comment",
        ],
    ),
    (
        "customer",
        1,
        &[
            "c_custkey",
            "c_name",
            "c_address",
            "c_nationkey",
            "c_phone",
            "c_acctbal",
            "c_mktsegment",
            "c_comment",
        ],
    ),
    ("nation", 1, &["n_nationkey", "n_name", "n_regionkey", "n_comment"]),
    ("region", 1, &["r_regionkey", "r_name", "r_comment"]),
    (
        "part",
        1,
        &[
            "p_partkey",
            "p_name",
            "p_mfgr",
            "p_brand",
            "p_type",
            "p_size",
            "p_container",
            "p_retailprice",
            "p_comment",
        ],
    ),
    (
        "supplier",
        1,
        &["s_suppkey", "s_name", "s_address", "s_nationkey", "s_phone", "s_acctbal", "s_comment"],
    ),
    ("partsupp", 2, &["ps_partkey", "ps_suppkey", "ps_availqty", "ps_supplycost", "ps_comment"]),
];

fn fields(row: impl Display) -> Vec<String> {
    let row = row.to_string();
    row.strip_suffix('|').unwrap_or(&row).split('|').map(str::to_string).collect()
}

fn by_key(rows: impl Iterator<Item = impl Display>, key: usize) -> HashMap<String, Vec<String>> {
    rows.map(|row| {
        let row = fields(row);
        (row[..key].join("|"), row)
    })
    .collect()
}

/// The join as CSV with names, of no more than so many rows and columns; the columns stand in the
/// order of [`TABLES`], as generated.
pub fn csv(scale: f64, rows: usize, columns: Option<&[&str]>) -> String {
    let orders = by_key(OrderGenerator::new(scale, 1, 1).iter(), 1);
    let customers = by_key(CustomerGenerator::new(scale, 1, 1).iter(), 1);
    let nations = by_key(NationGenerator::new(scale, 1, 1).iter(), 1);
    let regions = by_key(RegionGenerator::new(scale, 1, 1).iter(), 1);
    let parts = by_key(PartGenerator::new(scale, 1, 1).iter(), 1);
    let suppliers = by_key(SupplierGenerator::new(scale, 1, 1).iter(), 1);
    let partsupps = by_key(PartSuppGenerator::new(scale, 1, 1).iter(), 2);
    let names: Vec<&str> = header();
    let wanted: Vec<usize> = match columns {
        Some(some) => some.iter().filter_map(|c| names.iter().position(|n| n == c)).collect(),
        None => (0..names.len()).collect(),
    };
    let mut out = wanted.iter().map(|at| names[*at]).collect::<Vec<_>>().join(",") + "\n";
    for line in LineItemGenerator::new(scale, 1, 1).iter().take(rows) {
        let line = fields(line);
        let order = &orders[&line[0]];
        let customer = &customers[&order[1]];
        let nation = &nations[&customer[3]];
        let region = &regions[&nation[2]];
        let part = &parts[&line[1]];
        let supplier = &suppliers[&line[2]];
        let partsupp = &partsupps[&format!("{}|{}", line[1], line[2])];
        let all: Vec<&String> = [&line, order, customer, nation, region, part, supplier, partsupp]
            .into_iter()
            .flatten()
            .collect();
        let row: Vec<String> = wanted.iter().map(|at| quoted(all[*at])).collect();
        out.push_str(&row.join(","));
        out.push('\n');
    }
    out
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.into()
    }
}

/// The names in the generator's order: lineitem's line number stands behind its references.
fn header() -> Vec<&'static str> {
    let mut names: Vec<&str> =
        TABLES.iter().flat_map(|(_, _, columns)| columns.iter().copied()).collect();
    names[1..4].rotate_left(1);
    names
}

/// 35 columns: those of lineitem, orders, customer and nation without the references' other ends.
pub fn of_four() -> Vec<&'static str> {
    TABLES[..4]
        .iter()
        .flat_map(|(_, _, columns)| columns.iter().copied())
        .filter(|column| !["o_orderkey", "c_custkey"].contains(column))
        .collect()
}
