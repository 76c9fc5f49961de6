//! Which nodes hang directly below a node, for every kind of node a query can hold.

use pg_query::{NodeRef, protobuf as pb};

/// Something that may hold nodes: a node, a list of them, or one that may be missing.
trait Inner {
    fn give<'a>(&'a self, into: &mut Vec<NodeRef<'a>>);
}

impl Inner for pb::Node {
    fn give<'a>(&'a self, into: &mut Vec<NodeRef<'a>>) {
        if let Some(node) = &self.node {
            into.push(node.to_ref());
        }
    }
}

impl Inner for pb::CteSearchClause {
    fn give<'a>(&'a self, into: &mut Vec<NodeRef<'a>>) {
        into.push(NodeRef::CtesearchClause(self));
    }
}

impl Inner for pb::CteCycleClause {
    fn give<'a>(&'a self, into: &mut Vec<NodeRef<'a>>) {
        into.push(NodeRef::CtecycleClause(self));
    }
}

impl<T: Inner> Inner for Option<T> {
    fn give<'a>(&'a self, into: &mut Vec<NodeRef<'a>>) {
        if let Some(inner) = self {
            inner.give(into);
        }
    }
}

impl<T: Inner> Inner for Vec<T> {
    fn give<'a>(&'a self, into: &mut Vec<NodeRef<'a>>) {
        for inner in self {
            inner.give(into);
        }
    }
}

impl<T: Inner> Inner for Box<T> {
    fn give<'a>(&'a self, into: &mut Vec<NodeRef<'a>>) {
        self.as_ref().give(into);
    }
}

macro_rules! inner {
    ($($kind:ident)*) => {$(
        impl Inner for pb::$kind {
            fn give<'a>(&'a self, into: &mut Vec<NodeRef<'a>>) {
                into.push(NodeRef::$kind(self));
            }
        }
    )*};
}

inner! {
    Alias CollateClause IntoClause JsonAggConstructor JsonBehavior JsonKeyValue JsonOutput JsonTablePathSpec JsonValueExpr RangeVar SelectStmt TypeName WindowDef WithClause
}

macro_rules! children {
    ($node:expr, $into:expr; none: $($leaf:ident)*; $($kind:ident: $($field:ident)*;)*) => {
        match $node {
            $(NodeRef::$kind(n) => { $(n.$field.give($into);)* true })*
            $(NodeRef::$leaf(_) => true,)*
            _ => false,
        }
    };
}

/// Puts the children of `node` in `into`, in the order they are written as far as the tree keeps
/// it. `false` when a query can hold no such node, so that nothing is ever passed over silently.
pub(crate) fn children<'a>(node: NodeRef<'a>, into: &mut Vec<NodeRef<'a>>) -> bool {
    children! { node, into;
        none: AStar Integer Float Boolean String BitString AConst SqlvalueFunction JsonFormat JsonReturning SetToDefault ParamRef IntoClause LockingClause;
        List: items;
        Alias: colnames;
        RangeVar: alias;
        GroupingFunc: args refs;
        NamedArgExpr: arg;
        BoolExpr: args;
        SubLink: testexpr oper_name subselect;
        CaseExpr: arg args defresult;
        CaseWhen: expr result;
        RowExpr: args colnames;
        CoalesceExpr: args;
        MinMaxExpr: args;
        XmlExpr: named_args arg_names args;
        JsonValueExpr: raw_expr formatted_expr;
        JsonIsPredicate: expr;
        JsonBehavior: expr;
        NullTest: arg;
        BooleanTest: arg;
        JoinExpr: larg rarg using_clause join_using_alias quals alias;
        TypeName: names typmods array_bounds;
        ColumnRef: fields;
        AExpr: name lexpr rexpr;
        TypeCast: arg type_name;
        CollateClause: arg collname;
        FuncCall: funcname args agg_order agg_filter over;
        AIndices: lidx uidx;
        AIndirection: arg indirection;
        AArrayExpr: elements;
        ResTarget: indirection val;
        SortBy: node use_op;
        WindowDef: partition_clause order_clause start_offset end_offset;
        RangeSubselect: subquery alias;
        RangeFunction: functions alias coldeflist;
        RangeTableFunc: docexpr rowexpr namespaces columns alias;
        RangeTableFuncCol: type_name colexpr coldefexpr;
        RangeTableSample: relation method args repeatable;
        ColumnDef: type_name raw_default cooked_default coll_clause constraints fdwoptions;
        XmlSerialize: expr type_name;
        GroupingSet: content;
        WithClause: ctes;
        CtesearchClause: search_col_list;
        CtecycleClause: cycle_col_list cycle_mark_value cycle_mark_default;
        CommonTableExpr: aliascolnames ctequery search_clause cycle_clause ctecolnames ctecoltypes ctecoltypmods ctecolcollations;
        JsonOutput: type_name;
        JsonArgument: val;
        JsonFuncExpr: context_item pathspec passing output on_empty on_error;
        JsonTablePathSpec: string;
        JsonTable: context_item pathspec passing columns on_error alias;
        JsonTableColumn: type_name pathspec columns on_empty on_error;
        JsonKeyValue: key value;
        JsonParseExpr: expr output;
        JsonScalarExpr: expr output;
        JsonSerializeExpr: expr output;
        JsonObjectConstructor: exprs output;
        JsonArrayConstructor: exprs output;
        JsonArrayQueryConstructor: query output;
        JsonAggConstructor: output agg_filter agg_order over;
        JsonObjectAgg: constructor arg;
        JsonArrayAgg: constructor arg;
        SelectStmt: with_clause distinct_clause into_clause target_list from_clause where_clause group_clause having_clause window_clause values_lists larg rarg sort_clause limit_count limit_offset locking_clause;
    }
}
