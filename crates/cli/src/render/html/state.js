// What is shown: the data, and what the reader chose of it. The choice lives in the address, so
// that a link leads to the same sight.

const report = JSON.parse(document.getElementById("data").textContent);
const digest = report.digest;
const width = digest.timeline.width_ms;

/** The timeline's buckets, in order, with times as numbers. */
const buckets = digest.timeline.buckets.map((bucket) => ({
  ...bucket,
  t: Date.parse(bucket.at),
  kinds: Object.fromEntries((bucket.events || []).map((event) => [event.kind, event.count])),
}));
const whole = buckets.length
  ? { from: buckets[0].t, to: buckets[buckets.length - 1].t + width }
  : { from: 0, to: 1 };

/** The statements, with what is asked of them often. */
const statements = digest.statements.map((statement, at) => {
  const names = (counts) => (counts || []).map((count) => count.name);
  const words = [
    statement.shape, statement.operation, statement.fingerprint, ...names(statement.plans),
    ...(statement.objects || []), ...names(statement.users), ...names(statement.applications),
    ...names(statement.hosts), ...names(statement.databases),
  ];
  const slices = (statement.timeline || []).map((slice) => ({ ...slice, t: Date.parse(slice.at) }));
  return {
    ...statement, slices, rank: at + 1, words: words.join("\n").toLowerCase(), databases: statement.databases || [],
    label: [statement.operation, (statement.objects || []).join(", ")].filter(Boolean).join(" "),
  };
});

const DEFAULT_SORT = { key: "rank", down: false };
const state = { ...whole, sort: DEFAULT_SORT, query: "", operation: "", database: "", open: new Set() };

const watchers = [];
/** Calls back when the choice changes; `what` is "view", "table" or "open". */
function watch(call) {
  watchers.push(call);
}
function changed(what) {
  writeHash();
  for (const call of watchers) call(what);
}

const zoomed = () => state.from > whole.from || state.to < whole.to;

/** Shows a stretch of time, at least one bucket and at most everything. */
function zoom(from, to) {
  const least = Math.min(width || 1, whole.to - whole.from);
  let a = Math.max(whole.from, Math.min(from, to));
  let b = Math.min(whole.to, Math.max(from, to));
  if (b - a < least) {
    a = Math.max(whole.from, Math.min((a + b) / 2 - least / 2, whole.to - least));
    b = a + least;
  }
  state.from = a;
  state.to = b;
  changed("view");
}
const unzoom = () => zoom(whole.from, whole.to);

function writeHash() {
  const parts = new URLSearchParams();
  if (zoomed()) {
    parts.set("from", new Date(state.from).toISOString());
    parts.set("to", new Date(state.to).toISOString());
  }
  if (state.sort.key !== DEFAULT_SORT.key || state.sort.down) parts.set("sort", (state.sort.down ? "-" : "") + state.sort.key);
  if (state.query) parts.set("q", state.query);
  if (state.operation) parts.set("operation", state.operation);
  if (state.database) parts.set("database", state.database);
  if (state.open.size) parts.set("open", [...state.open].join(" "));
  const hash = parts.toString();
  try {
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  } catch {
    // Some places a file is shown in have no address of their own; nothing is lost but the link.
  }
}

function readHash() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const from = Date.parse(parts.get("from"));
  const to = Date.parse(parts.get("to"));
  if (from < to && to > whole.from && from < whole.to) {
    state.from = Math.max(from, whole.from);
    state.to = Math.min(to, whole.to);
  }
  const sort = parts.get("sort") || "";
  if (sort) state.sort = { key: sort.replace(/^-/, ""), down: sort.startsWith("-") };
  state.query = parts.get("q") || "";
  state.operation = parts.get("operation") || "";
  state.database = parts.get("database") || "";
  for (const fingerprint of (parts.get("open") || "").split(" ")) if (fingerprint) state.open.add(fingerprint);
}

/** A statement's calls and time in the shown stretch of time. */
function inView(statement) {
  if (!zoomed()) return { calls: statement.load.calls, total: statement.load.total_ms };
  let calls = 0;
  let total = 0;
  for (const slice of statement.slices) {
    if (slice.t + width > state.from && slice.t < state.to) {
      calls += slice.calls;
      total += slice.total_ms;
    }
  }
  return { calls, total };
}

/** The buckets that are at least partly in sight. */
const bucketsInView = () => buckets.filter((bucket) => bucket.t + width > state.from && bucket.t < state.to);

/** What the charts draw: a bucket a column, or several where they would be too thin to see. */
let columns = [];
/** A column's width in milliseconds. */
let columnWidth = width;

/** Chooses the columns for `most` of them at most. */
function chooseColumns(most) {
  const each = [1, 2, 3, 5, 6, 10, 15, 20, 30, 60, 100, 200, 500, 1000].find((times) => (state.to - state.from) / width / times <= most) || 2000;
  columnWidth = width * each;
  columns = [];
  for (const bucket of bucketsInView()) {
    const t = whole.from + Math.floor((bucket.t - whole.from) / columnWidth) * columnWidth;
    const last = columns[columns.length - 1];
    if (last && last.t === t) last.parts.push(bucket);
    else columns.push({ t, parts: [bucket] });
  }
  columns = columns.map(each > 1 ? merged : ({ t, parts }) => ({ ...parts[0], t, parts }));
}

/** Several buckets as one. Their percentiles cannot be added: it is the mean, weighted by calls. */
function merged({ t, parts }) {
  const sum = (value) => parts.reduce((all, part) => all + value(part), 0);
  const calls = sum((part) => part.calls);
  const weighted = (key) => (calls ? sum((part) => part[key] * part.calls) / calls : 0);
  const kinds = {};
  for (const part of parts) for (const [kind, count] of Object.entries(part.kinds)) kinds[kind] = (kinds[kind] || 0) + count;
  return {
    t, parts, calls, kinds, total_ms: sum((part) => part.total_ms), errors: sum((part) => part.errors),
    p50_ms: weighted("p50_ms"), p95_ms: weighted("p95_ms"), p99_ms: weighted("p99_ms"), max_ms: Math.max(...parts.map((part) => part.max_ms)),
  };
}
