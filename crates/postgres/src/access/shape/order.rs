use pg_query::protobuf::{SelectStmt, SortByDir, SortByNulls, a_const};
use pg_query::{Node, NodeEnum};

use super::super::ast;
use super::read::Reader;
use super::scope::Found;
use super::{Key, SortKey};

impl Reader<'_> {
    /// The ORDER BY: as sort keys when all of it is over one relation.
    pub(super) fn order(&mut self, select: &SelectStmt, block: usize) {
        let mut keys: Vec<(Found, SortKey)> = Vec::new();
        let mut all = true;
        for item in &select.sort_clause {
            let Some(NodeEnum::SortBy(sort)) = &item.node else { return };
            let Some(node) = sort.node.as_deref() else { return };
            let Some((found, key)) = self.key(output(select, node, true)) else {
                all = false;
                continue;
            };
            if found.block == block
                && let Some(column) = &key.column
            {
                let used = &mut self.shape.blocks[block].uses[found.number];
                used.ordered_by.insert(column.clone());
            }
            let descending = sort.sortby_dir == SortByDir::SortbyDesc as i32;
            let nulls_first = match SortByNulls::try_from(sort.sortby_nulls) {
                Ok(SortByNulls::SortbyNullsFirst) => true,
                Ok(SortByNulls::SortbyNullsLast) => false,
                _ => descending,
            };
            keys.push((found, SortKey { key, descending, nulls_first }));
        }
        let Some((first, _)) = keys.first().cloned() else { return };
        if !all || keys.iter().any(|(found, _)| found.level != block || !found.same_use(&first)) {
            return;
        }
        let used = self.shape.blocks.get_mut(first.block);
        // A subquery's own order comes before the one around it.
        if let Some(used) = used.and_then(|block| block.uses.get_mut(first.number))
            && (first.block == block || used.sort.is_empty())
        {
            used.sort = keys.into_iter().map(|(_, key)| key).collect();
        }
    }

    /// The GROUP BY or DISTINCT, when it is plain columns of one relation.
    pub(super) fn group(&mut self, select: &SelectStmt, block: usize) {
        let first = select.distinct_clause.iter().filter(|node| node.node.is_some());
        let first: Vec<&Node> = first.map(|node| output(select, node, true)).collect();
        let items: Vec<&Node> = match select.group_clause.is_empty() {
            true if !first.is_empty() => first,
            true if !select.distinct_clause.is_empty() => {
                select.target_list.iter().filter_map(value).collect()
            }
            _ => select.group_clause.iter().map(|node| output(select, node, false)).collect(),
        };
        let keys: Option<Vec<(Found, Key)>> =
            items.into_iter().map(|node| self.key(node)).collect();
        let Some(keys) = keys.filter(|keys| !keys.is_empty()) else { return };
        let number = keys[0].0.number;
        if keys.iter().all(|(found, _)| found.block == block && found.number == number) {
            let columns: Option<Vec<String>> =
                keys.into_iter().map(|(_, key)| key.column).collect();
            self.shape.blocks[block].uses[number].group = columns.unwrap_or_default();
        }
    }
}

/// The expression of a select list's item.
pub fn value(target: &Node) -> Option<&Node> {
    match &target.node {
        Some(NodeEnum::ResTarget(target)) => target.val.as_deref(),
        _ => None,
    }
}

/// What an ORDER BY or GROUP BY item stands for: an output column by number or (in ORDER BY) by
/// name, or itself.
pub fn output<'a>(select: &'a SelectStmt, node: &'a Node, by_name: bool) -> &'a Node {
    if let Some(NodeEnum::AConst(constant)) = &node.node
        && let Some(a_const::Val::Ival(number)) = &constant.val
    {
        let number = usize::try_from(number.ival).unwrap_or(0);
        return number
            .checked_sub(1)
            .and_then(|at| select.target_list.get(at))
            .and_then(value)
            .unwrap_or(node);
    }
    if by_name && let Some((None, name)) = ast::column(node) {
        for target in &select.target_list {
            if let Some(NodeEnum::ResTarget(target)) = &target.node
                && target.name == name
                && let Some(value) = target.val.as_deref()
            {
                return value;
            }
        }
    }
    node
}
