// The table of statements: sorted by any column, searched as one types, opened row by row.

const per = (value, calls) => (value === undefined || value === null || !calls ? undefined : value / calls);
/** How much was examined for each row or document returned. */
function examined(load) {
  if (load.reads === undefined || load.reads === null || load.returned === undefined) return undefined;
  return load.reads / Math.max(1, load.returned);
}

/** The columns; `value` sorts, `cell` shows. Columns without any value are left out. */
const COLUMNS = [
  { key: "rank", name: "#", value: (row) => row.statement.rank, cell: (row) => String(row.statement.rank), up: true },
  { key: "statement", name: "Statement", value: (row) => row.statement.label.toLowerCase(), cell: nameCell, up: true, text: true },
  { key: "load", name: "Over time", cell: (row) => sparkline(row.statement), still: true },
  { key: "share", name: "Share", value: (row) => row.share, cell: (row) => bar(row.share, percent(row.share)) },
  { key: "total", name: "Total", value: (row) => row.total, cell: (row) => duration(row.total) },
  { key: "calls", name: "Calls", value: (row) => row.calls, cell: (row) => short(row.calls) },
  { key: "mean", name: "Mean", value: (row) => per(row.total, row.calls), cell: (row) => (row.calls ? duration(row.total / row.calls) : "–") },
  { key: "p95", name: "p95", value: (row) => row.statement.load.p95_ms, cell: (row) => known(row.statement.load.p95_ms) },
  { key: "p99", name: "p99", value: (row) => row.statement.load.p99_ms, cell: (row) => known(row.statement.load.p99_ms) },
  { key: "max", name: "Longest", value: (row) => row.statement.load.max_ms, cell: (row) => known(row.statement.load.max_ms) },
  { key: "rows", name: "Rows/call", title: "Rows or documents returned or changed, a call", value: (row) => per(row.statement.load.returned, row.statement.load.calls), cell: (row, value) => short(value) },
  { key: "ratio", name: "Read/row", title: "Documents or buffers examined for each row or document returned", value: (row) => examined(row.statement.load), cell: (row, value) => el("span", { class: value >= 100 ? "warn" : "" }, short(value)) },
  { key: "temp", name: "Temp", title: "Written to temporary files", value: (row) => row.statement.load.temp_bytes, cell: (row, value) => (value ? bytes(value) : "–") },
];

function nameCell(row) {
  const { statement } = row;
  const open = state.open.has(statement.fingerprint);
  const node = el("button", { type: "button", class: "open", "aria-expanded": String(open), "data-open": statement.fingerprint, on: { click: () => toggle(statement.fingerprint) } },
    el("span", { class: "label" }, el("span", { class: `op ${statement.engine}`, text: statement.operation || "?" }), (statement.objects || []).slice(0, 6).join(", "),
      statement.incomplete && el("span", { class: "badge", title: "The log had cut every run of it short", text: "cut short" })),
    codeLine(statement.shape, statement.engine, 150));
  return node;
}

/** A statement's time over the whole log, small. */
function sparkline(statement) {
  const [wide, height] = [96, 24];
  const most = Math.max(0, ...statement.slices.map((slice) => slice.total_ms));
  if (!most) return "";
  const columns = new Float64Array(wide / 2);
  for (const slice of statement.slices) {
    const at = Math.floor(((slice.t - whole.from) / (whole.to - whole.from)) * columns.length);
    columns[Math.max(0, Math.min(columns.length - 1, at))] += slice.total_ms;
  }
  const top = Math.max(...columns);
  const bars = [...columns].map((ms, at) => ms > 0 && [at * 2, height - Math.max(1, (ms / top) * height), 1.6, height]).filter(Boolean);
  return svg("svg", { width: wide, height, class: "spark", role: "img", "aria-label": "time in it, over the log" }, svg("path", { d: barsPath(bars), fill: css("--calls") }));
}

const shownColumns = COLUMNS.filter((column) => column.still
  ? buckets.length > 1
  : statements.some((statement) => column.value({ statement, ...numbersOf(statement, 1) }) !== undefined));

function numbersOf(statement, all) {
  const { calls, total } = inView(statement);
  return { calls, total, share: all ? total / all : 0 };
}

/** The rows that pass search and filters, in order. */
function rowsNow() {
  const all = zoomed() ? bucketsInView().reduce((sum, bucket) => sum + bucket.total_ms, 0) : digest.totals.total_ms;
  const words = state.query.toLowerCase().split(/\s+/).filter(Boolean);
  const column = COLUMNS.find((one) => one.key === state.sort.key && one.value) || COLUMNS[0];
  const rows = statements
    .filter((statement) => words.every((word) => statement.words.includes(word)))
    .filter((statement) => !state.operation || statement.operation === state.operation)
    .filter((statement) => !state.database || statement.databases.some((one) => one.name === state.database))
    .map((statement) => ({ statement, ...numbersOf(statement, all) }))
    .filter((row) => row.calls > 0 || !zoomed());
  const way = state.sort.down ? -1 : 1;
  const compare = (a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    // What has no value stands last, whichever way round.
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
    return (x < y ? -1 : x > y ? 1 : 0) * way || a.statement.rank - b.statement.rank;
  };
  return rows.sort(compare);
}

function sortBy(column) {
  const same = state.sort.key === column.key;
  state.sort = { key: column.key, down: same ? !state.sort.down : !column.up };
  changed("table");
}

function toggle(fingerprint) {
  if (!state.open.delete(fingerprint)) state.open.add(fingerprint);
  changed("open");
}

/** Opens a statement and brings it into sight, through any filter. */
function reveal(fingerprint) {
  state.query = state.operation = state.database = "";
  state.open.add(fingerprint);
  changed("table");
  const row = document.querySelector(`[data-open="${CSS.escape(fingerprint)}"]`);
  if (row) {
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "start", behavior: "smooth" });
  }
}
