// The section that holds the table: tools above it, rows as many as one wants to see.

const PAGE = 50;

function statementsSection() {
  const search = el("input", { type: "search", id: "search", placeholder: "Search text, tables, users, applications …", "aria-label": "Search the statements", autocomplete: "off", spellcheck: "false", on: { input: () => choose("query", search.value) } });
  const operations = selectOf("operation", "All operations", statements.map((statement) => statement.operation));
  const databases = selectOf("database", "All databases", statements.flatMap((statement) => statement.databases.map((one) => one.name)));
  const sorting = el("select", { "aria-label": "Sort by", class: "narrow", on: { change: () => { const column = COLUMNS.find((one) => one.key === sorting.value); state.sort = { key: column.key, down: !column.up }; changed("table"); } } },
    shownColumns.filter((column) => column.value).map((column) => el("option", { value: column.key, text: `by ${column.name}` })));
  const count = el("span", { class: "about", id: "count", role: "status" });
  const head = el("tr", {}, shownColumns.map((column) => el("th", { scope: "col", class: cellClass(column), "data-key": column.key, title: column.title },
    column.value ? button(column.name, () => sortBy(column), { class: "sort" }) : column.name)));
  const body = el("tbody");
  const more = el("div", { class: "more" });
  const table = el("table", { class: "statements" }, el("caption", { class: "hidden", text: "Statements" }), el("thead", {}, head), body);
  let limit = PAGE;

  const draw = () => {
    const rows = rowsNow();
    if (search.value !== state.query) search.value = state.query;
    if (operations) operations.value = state.operation;
    if (databases) databases.value = state.database;
    sorting.value = state.sort.key;
    for (const cell of head.children) {
      const sorted = cell.dataset.key === state.sort.key;
      if (sorted) cell.setAttribute("aria-sort", state.sort.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    // An opened statement is shown however far down it stands.
    const far = rows.reduce((last, row, at) => (state.open.has(row.statement.fingerprint) ? at + 1 : last), 0);
    const until = Math.max(limit, far);
    fill(body, rows.slice(0, until).flatMap(rowOf));
    if (!rows.length) fill(body, el("tr", {}, el("td", { colspan: shownColumns.length, class: "empty", text: "No statement matches. " }, button("Show all", clear, { class: "small" }))));
    fill(more, rows.length > until && [
      button(`Show ${Math.min(200, rows.length - until)} more`, () => { limit = until + 200; draw(); }),
      button(`Show all ${grouped(rows.length)}`, () => { limit = rows.length; draw(); }),
    ]);
    count.textContent = rows.length === statements.length ? counted(rows.length, "statement", "statements") : `${grouped(rows.length)} of ${counted(statements.length, "statement", "statements")}`;
    if (zoomed()) count.textContent += `, share to mean from ${spanned(state.from, state.to)} alone`;
  };
  watch(draw);
  const left = digest.statements_left_out;
  if (!statements.length) {
    return section("statements", "Statements", "", el("p", { class: "card empty", text: "No statement with a duration was found. PostgreSQL logs durations with log_min_duration_statement, MongoDB with slowms or a profiling level." }));
  }
  return [section("statements", "Statements", left ? `${counted(left, "further statement is", "further statements are")} in the sums above but not listed; --top lists more.` : "",
    el("div", { class: "card" }, el("div", { class: "tools" }, search, operations, databases, sorting, count), el("div", { class: "scroll" }, table), more)), draw];
}

function choose(name, value) {
  state[name] = value;
  changed("table");
}

function clear() {
  state.query = state.operation = state.database = "";
  if (zoomed()) unzoom();
  else changed("table");
}

/** A choice among the names that occur, when there is more than one. */
function selectOf(name, all, names) {
  const found = [...new Set(names.filter(Boolean))].sort();
  if (found.length < 2) return null;
  const node = el("select", { id: `by-${name}`, "aria-label": all, on: { change: () => choose(name, node.value) } },
    el("option", { value: "", text: all }), found.map((one) => el("option", { value: one, text: one })));
  return node;
}

const cellClass = (column) => (column.text ? `c-${column.key}` : `c-${column.key} right`);

function rowOf(row) {
  const open = state.open.has(row.statement.fingerprint);
  const cells = shownColumns.map((column) => {
    const value = column.value && column.value(row);
    const shown = column.value && value === undefined ? "–" : column.cell(row, value);
    return el("td", { class: cellClass(column) + (shown === "–" ? " none" : ""), "data-name": column.name }, shown);
  });
  const line = el("tr", { class: open ? "opened" : "" }, cells);
  if (!open) return [line];
  return [line, el("tr", { class: "detail" }, el("td", { colspan: shownColumns.length }, detailOf(row.statement)))];
}
