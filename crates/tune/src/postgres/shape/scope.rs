use marula_core::RelationalCatalog;

/// A name of a FROM clause.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The name it goes by.
    pub alias: String,
    /// Its number among its block's uses; `None` for subqueries, CTEs and functions.
    pub number: Option<usize>,
    /// The qualified relation, for a use.
    pub relation: String,
}

/// A column that was found: the block, the use in it, the column's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub block: usize,
    pub number: usize,
    pub column: String,
}

/// The names a block sees: its own, then those of the blocks around it.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    /// From the outermost block to the innermost.
    pub levels: Vec<(usize, Vec<Entry>)>,
    /// CTEs in sight.
    pub ctes: Vec<String>,
}

impl Scope {
    /// Which use's column a reference means.
    pub fn resolve(
        &self,
        catalog: Option<&RelationalCatalog>,
        qualifier: Option<&str>,
        column: &str,
    ) -> Option<Found> {
        for (block, entries) in self.levels.iter().rev() {
            let entry = match qualifier {
                Some(qualifier) => entries.iter().find(|entry| entry.alias == qualifier),
                None => unqualified(entries, catalog, column),
            };
            if let Some(entry) = entry {
                return Some(Found { block: *block, number: entry.number?, column: column.into() });
            }
        }
        None
    }
}

fn unqualified<'a>(
    entries: &'a [Entry],
    catalog: Option<&RelationalCatalog>,
    column: &str,
) -> Option<&'a Entry> {
    let knows = |entry: &&Entry| {
        entry.number.is_some()
            && catalog
                .and_then(|catalog| catalog.find(&entry.relation))
                .is_some_and(|relation| relation.column(column).is_some())
    };
    if let Some(entry) = entries.iter().find(knows) {
        return Some(entry);
    }
    // A name no known relation has: it belongs to the only thing there is.
    match entries {
        [only] if catalog.and_then(|c| c.find(&only.relation)).is_none() => Some(only),
        _ => None,
    }
}
