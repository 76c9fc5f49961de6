use super::Key;
use super::read::Reader;
use super::scope::Found;

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`, or a bare boolean column.
    Equal,
    /// `IN (…)`, `= ANY (…)`.
    In,
    /// `<`, `<=`, `>`, `>=`, `BETWEEN`.
    Range,
    /// `LIKE 'x%'`.
    Prefix,
    /// `LIKE '%x%'`, `ILIKE`, a regular expression: what trigrams can answer.
    Pattern,
    /// `IS NULL`.
    IsNull,
    /// `IS NOT NULL`.
    IsNotNull,
    /// `<>`, `NOT IN`, `NOT LIKE`.
    Differs,
    /// `@>`, `?`, `@?`, `@@`: containment and existence in jsonb.
    JsonContains,
    /// `@>`, `<@`, `&&` over an array.
    ArrayContains,
    /// `@@` over a text-search document.
    Matches,
    /// `&&`, `@>`, `<@`, `>>=` … over ranges, addresses and shapes.
    Overlaps,
}

/// What a condition compares with.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Something without columns, as SQL.
    Constant(String),
    /// A column of another relation: its block, its number among the block's uses, its name.
    Column {
        /// The block of the other use.
        block: usize,
        /// Its number among the block's uses.
        number: usize,
        /// Its column.
        column: String,
    },
    /// The rows of a subquery.
    Subquery,
}

/// One condition on one relation.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicate {
    /// What is compared.
    pub key: Key,
    /// How.
    pub operator: Operator,
    /// With what.
    pub value: Value,
    /// The condition as SQL.
    pub text: String,
    /// The condition on this relation alone without its alias, as a partial index could have
    /// it; `None` when it depends on other relations or on parameters.
    pub bare: Option<String>,
}

impl Predicate {
    /// Whether it is a condition on this relation alone.
    pub fn is_filter(&self) -> bool {
        matches!(self.value, Value::Constant(_))
    }

    /// Whether it joins by equality.
    pub fn is_join(&self) -> bool {
        self.operator == Operator::Equal && !self.is_filter()
    }
}

/// What stands on one side of an operator.
#[derive(Debug, Clone)]
pub(super) enum Side {
    Constant(String),
    Key(Found, Key),
    /// Columns of several relations, or a subquery.
    Mixed(Option<Found>),
}

impl Reader<'_> {
    /// Notes a condition, given as SQL and, where it is on this relation alone, as a partial
    /// index could have it. `only` are the names of the FROM clause it filters.
    pub(super) fn put(
        &mut self,
        found: Found,
        key: Key,
        operator: Operator,
        value: Value,
        (text, bare): (String, Option<String>),
        only: Option<&[usize]>,
    ) {
        let Some(here) = self.scope.levels.last().map(|(block, _)| *block) else { return };
        let own = here == found.level;
        // What a subquery asks of an outer relation is asked per outer row, and no way to find
        // it; unless the subquery is a join in other words.
        let joined = self
            .shape
            .blocks
            .get(here)
            .is_some_and(|block| block.semi && block.parent == Some(found.level));
        let filters = only.is_none_or(|only| own && only.contains(&found.entry));
        if !(own || joined) || !filters {
            return;
        }
        let predicate = Predicate { key, operator, value, text, bare };
        if let Some(side) = &mut self.side_of_or {
            side.push((found, predicate));
            return;
        }
        let block = self.shape.blocks.get_mut(found.block);
        if let Some(used) = block.and_then(|block| block.uses.get_mut(found.number))
            && !used.predicates.contains(&predicate)
        {
            used.predicates.push(predicate);
        }
    }
}
