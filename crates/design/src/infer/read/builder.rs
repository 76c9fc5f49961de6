//! From documents and rows to columns: objects become columns with a path, arrays become tables of
//! their own with the row they belong to and a position.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::document::Node;
use super::{Limits, SourceRead, What};
use crate::infer::column::{Column, Dictionary, Kind, Parent, Table};
use crate::infer::naming::clean;

/// So many columns a table may have; what comes later stands together in one as JSON.
const COLUMNS: usize = 400;
/// So many tables a source may have; arrays that come later are kept as JSON.
const TABLES: usize = 100;
/// The column for what is too much.
const REST: &str = "more_fields";

/// Makes tables of documents.
pub struct Shredder {
    tables: Vec<Building>,
    limits: Limits,
    full: bool,
    /// Objects and arrays that were there and empty, by their path.
    empty: BTreeMap<String, u64>,
}

#[derive(Default)]
struct Building {
    name: String,
    parent: Option<Parent>,
    columns: Vec<Filling>,
    by_path: FxHashMap<String, usize>,
    arrays: FxHashMap<String, usize>,
    rows: usize,
    places: Vec<u64>,
}

#[derive(Default)]
struct Filling {
    path: Vec<String>,
    codes: Vec<u32>,
    dictionary: Dictionary,
    nulls: u64,
}

/// Between the steps of a path that is a key of a map.
const STEP: char = '\u{1}';

impl Shredder {
    /// For documents of a source called so.
    pub fn new(name: &str, limits: Limits) -> Self {
        let root = Building { name: name.into(), ..Building::default() };
        Shredder { tables: vec![root], limits, full: false, empty: BTreeMap::new() }
    }

    /// The columns of rows, in order, for [`Shredder::row`].
    pub fn columns(&mut self, names: &[String]) {
        for (at, name) in names.iter().enumerate() {
            let filling = Filling { path: vec![name.clone()], ..Filling::default() };
            self.tables[0].columns.push(filling);
            self.tables[0].by_path.insert(name.clone(), at);
        }
    }

    /// Takes one row, and says whether there was room for it.
    pub fn row<'v>(
        &mut self,
        values: impl Iterator<Item = Option<(Kind, &'v str)>>,
        place: u64,
    ) -> bool {
        if self.no_room() {
            return false;
        }
        let table = &mut self.tables[0];
        for (column, value) in table.columns.iter_mut().zip(values) {
            match value {
                Some((kind, text)) => {
                    let code = column.dictionary.code(kind, text);
                    column.codes.push(code);
                }
                None => {
                    column.nulls += 1;
                    column.codes.push(0);
                }
            }
        }
        table.rows += 1;
        table.places.push(place);
        true
    }

    /// Takes one document, and says whether there was room for it.
    pub fn document(
        &mut self,
        fields: &[(String, Node)],
        place: u64,
        read: &mut SourceRead,
    ) -> bool {
        if self.no_room() {
            return false;
        }
        let row = self.tables[0].begin(place);
        let mut rest = Vec::new();
        self.object(0, row, &mut Vec::new(), fields, place, &mut rest);
        self.keep_rest(0, row, rest, place, read);
        true
    }

    fn no_room(&mut self) -> bool {
        let rows = self.tables[0].rows;
        if rows as u64 >= self.limits.rows {
            return true;
        }
        if rows.is_multiple_of(1024) && !self.full {
            let bytes: usize = self.tables.iter().map(Building::bytes).sum();
            self.full = bytes > self.limits.bytes;
        }
        self.full
    }

    fn object(
        &mut self,
        table: usize,
        row: usize,
        path: &mut Vec<String>,
        fields: &[(String, Node)],
        place: u64,
        rest: &mut Vec<(String, Node)>,
    ) {
        for (name, node) in fields {
            path.push(name.clone());
            self.node(table, row, path, node, place, rest);
            path.pop();
        }
    }

    fn node(
        &mut self,
        table: usize,
        row: usize,
        path: &mut Vec<String>,
        node: &Node,
        place: u64,
        rest: &mut Vec<(String, Node)>,
    ) {
        match node {
            Node::Null | Node::Value(..) => {
                if !self.tables[table].set(row, path, node) {
                    rest.push((path.join("."), node.clone()));
                }
            }
            Node::Object(fields) if fields.is_empty() => self.was_empty(table, path),
            Node::Object(fields) => self.object(table, row, path, fields, place, rest),
            Node::Array(items) => self.array(table, row, path, items, place, rest),
        }
    }

    fn was_empty(&mut self, table: usize, path: &[String]) {
        if self.empty.len() < 1000 {
            let path = format!("{}.{}", self.tables[table].name, path.join("."));
            *self.empty.entry(path).or_default() += 1;
        }
    }

    fn array(
        &mut self,
        table: usize,
        row: usize,
        path: &[String],
        items: &[Node],
        place: u64,
        rest: &mut Vec<(String, Node)>,
    ) {
        if items.is_empty() {
            return self.was_empty(table, path);
        }
        let Some(below) = self.array_table(table, path) else {
            rest.push((path.join("."), Node::Array(items.to_vec())));
            return;
        };
        for (at, item) in items.iter().enumerate() {
            let child = self.tables[below].begin(place);
            if let Some(parent) = &mut self.tables[below].parent {
                parent.rows.push(row as u32);
                parent.ordinals.push(at as u32 + 1);
            }
            let mut more = Vec::new();
            match item {
                Node::Object(fields) => {
                    self.object(below, child, &mut Vec::new(), fields, place, &mut more);
                }
                other => {
                    self.node(below, child, &mut vec!["value".into()], other, place, &mut more);
                }
            }
            // There is room in the root's own rest: a column of JSON is always there.
            rest.extend(
                more.into_iter()
                    .map(|(name, node)| (format!("{}[{at}].{name}", path.join(".")), node)),
            );
        }
    }

    fn array_table(&mut self, table: usize, path: &[String]) -> Option<usize> {
        let key = key(path);
        if let Some(known) = self.tables[table].arrays.get(&key) {
            return Some(*known);
        }
        if self.tables.len() >= TABLES {
            return None;
        }
        let array = clean(&path.join("_"));
        let name = format!("{}_{array}", self.tables[table].name);
        let parent = Some(Parent { table, array, ..Parent::default() });
        self.tables.push(Building { name, parent, ..Building::default() });
        let below = self.tables.len() - 1;
        self.tables[table].arrays.insert(key, below);
        Some(below)
    }

    fn keep_rest(
        &mut self,
        table: usize,
        row: usize,
        rest: Vec<(String, Node)>,
        place: u64,
        read: &mut SourceRead,
    ) {
        let Some((first, _)) = rest.first() else { return };
        read.trouble(What::TooManyFields, place, first.clone());
        let json = Node::Object(rest).json().to_string();
        self.tables[table].force(row, REST, Kind::Json, &json);
    }

    /// The tables, with every row filled.
    pub fn finish(self, read: &mut SourceRead) -> Vec<Table> {
        for (path, count) in self.empty.iter().take(3) {
            let comma = if read.how.is_empty() { "" } else { "; " };
            read.how
                .push_str(&format!("{comma}{path} is there and empty in {count}, kept as nothing"));
        }
        let sampled = read.beyond > 0 || read.of.is_some_and(|of| of > read.read);
        let source = &read.name;
        self.tables.into_iter().map(|table| table.finish(source, sampled)).collect()
    }
}

fn key(path: &[String]) -> String {
    let mut out = String::new();
    for step in path {
        out.push_str(step);
        out.push(STEP);
    }
    out
}

impl Building {
    fn bytes(&self) -> usize {
        let columns = self.columns.iter().map(|c| c.dictionary.bytes() + c.codes.len() * 4);
        columns.sum::<usize>() + self.rows * 16
    }

    fn begin(&mut self, place: u64) -> usize {
        self.rows += 1;
        self.places.push(place);
        self.rows - 1
    }

    /// Sets a value; `false` when there is no column for it and no room for one.
    fn set(&mut self, row: usize, path: &[String], node: &Node) -> bool {
        let key = key(path);
        let at = match self.by_path.get(&key) {
            Some(at) => *at,
            None if self.columns.len() >= COLUMNS => return false,
            None => {
                self.columns.push(Filling { path: path.to_vec(), ..Filling::default() });
                self.by_path.insert(key, self.columns.len() - 1);
                self.columns.len() - 1
            }
        };
        let column = &mut self.columns[at];
        let code = match node {
            Node::Value(kind, text) => column.dictionary.code(*kind, text),
            _ => {
                column.nulls += 1;
                0
            }
        };
        column.put(row, code);
        true
    }

    fn force(&mut self, row: usize, name: &str, kind: Kind, text: &str) {
        let at = match self.by_path.get(name) {
            Some(at) => *at,
            None => {
                self.columns.push(Filling { path: vec![name.into()], ..Filling::default() });
                self.by_path.insert(name.into(), self.columns.len() - 1);
                self.columns.len() - 1
            }
        };
        let column = &mut self.columns[at];
        let code = column.dictionary.code(kind, text);
        column.put(row, code);
    }

    fn finish(mut self, source: &str, sampled: bool) -> Table {
        let rows = self.rows;
        // What is null where others have an object or an array is said by what is below.
        let paths: Vec<String> = self.columns.iter().map(|column| key(&column.path)).collect();
        let arrays = &self.arrays;
        let mut at = 0;
        self.columns.retain(|column| {
            let path = &paths[at];
            at += 1;
            !column.dictionary.is_empty()
                || !(arrays.contains_key(path)
                    || paths
                        .iter()
                        .any(|other| other.len() > path.len() && other.starts_with(path)))
        });
        let mut names = FxHashMap::default();
        let columns = self
            .columns
            .into_iter()
            .map(|mut column| {
                column.codes.resize(rows, 0);
                let there = column.codes.iter().filter(|code| **code != 0).count() as u64;
                let name = distinct(&mut names, clean(&column.path.join("_")));
                Column {
                    name,
                    missing: (rows as u64).saturating_sub(there + column.nulls),
                    nulls: column.nulls,
                    path: column.path,
                    codes: column.codes,
                    dictionary: Arc::new(column.dictionary),
                }
            })
            .collect();
        Table {
            name: self.name,
            source: source.into(),
            columns,
            rows,
            places: self.places,
            parent: self.parent,
            declared_key: Vec::new(),
            sampled,
        }
    }
}

/// The name, with a number behind it when it is taken.
fn distinct(names: &mut FxHashMap<String, u32>, name: String) -> String {
    let count = names.entry(name.clone()).or_default();
    *count += 1;
    if *count == 1 {
        return name;
    }
    let other = format!("{name}_{count}");
    distinct(names, other)
}

impl Filling {
    fn put(&mut self, row: usize, code: u32) {
        self.codes.resize(row, 0);
        self.codes.push(code);
    }
}
