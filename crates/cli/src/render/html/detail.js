// One statement in full: its text, where its time goes, who sends it, and its slowest runs.

/** Kept once made, so that typing in the search field does not make them anew. */
const details = new Map();

function detailOf(statement) {
  const key = `${statement.fingerprint} ${state.from} ${state.to}`;
  if (!details.has(key)) {
    if (details.size > 40) details.clear();
    details.set(key, el("div", { class: "detail-grid" }, el("div", { class: "wide" }, shapeOf(statement), samplesOf(statement)),
      el("div", { class: "side" }, numbersOfDetail(statement), spreadOf(statement), overTime(statement)),
      el("div", { class: "whence columns" }, countsOf("Plans", statement.plans), countsOf("Users", statement.users), countsOf("Applications", statement.applications),
        countsOf("Hosts", statement.hosts), countsOf("Databases", statement.databases))));
  }
  return details.get(key);
}

function part(title, ...children) {
  return el("div", { class: "part" }, el("h3", { text: title }), ...children);
}

function shapeOf(statement) {
  return part("Statement", el("div", { class: "corner" }, copyButton(() => statement.shape)), codeBlock(statement.shape, statement.engine),
    statement.incomplete && el("p", { class: "about", text: "The server had cut every run of it short when it logged it, so this is only its beginning." }),
    statement.partial === "load" && el("p", { class: "about", text: "At least so many runs: there were too many shapes to count this one all the time." }),
    statement.partial === "details" && el("p", { class: "about", text: "The numbers are exact; where its runs came from and when leaves some out." }));
}

function numbersOfDetail(statement) {
  const { load } = statement;
  const span = statement.span;
  const pairs = [
    ["Calls", grouped(load.calls)], ["Total", duration(load.total_ms)], ["Share of all time", percent(statement.share)], ["Mean", duration(load.mean_ms)],
    ...[["p50", load.p50_ms], ["p95", load.p95_ms], ["p99", load.p99_ms], ["Longest", load.max_ms], ["Shortest", load.min_ms], ["Standard deviation", load.stddev_ms]].map(([name, ms]) => [name, ms === undefined ? null : duration(ms)]),
    ["Rows", load.returned === undefined ? null : `${grouped(load.returned)} (${short(load.returned / load.calls)} a call)`],
    ["Index keys", load.keys === undefined ? null : grouped(load.keys)],
    [statement.engine === "mongodb" ? "Documents read" : "Buffers read", load.reads === undefined ? null : grouped(load.reads)],
    ["Read for a row", examined(load) === undefined ? null : short(examined(load))],
    ["Temporary files", load.temp_bytes ? bytes(load.temp_bytes) : null],
    ["Waiting for locks", load.lock_ms ? duration(load.lock_ms) : null],
    ["First seen", span ? moment(Date.parse(span.from)) : null], ["Last seen", span ? moment(Date.parse(span.to)) : null],
    ["Fingerprint", statement.fingerprint],
  ];
  return part("Numbers", el("dl", {}, pairs.filter(([, value]) => value !== null).map(([name, value]) => [el("dt", { text: name }), el("dd", { text: value })])));
}

/** Where the percentiles lie, on a logarithmic line. */
function spreadOf(statement) {
  const { load } = statement;
  if (load.calls < 2 || !(load.max_ms > 0) || load.p50_ms === undefined) return null;
  const [wide, height, pad] = [300, 44, 10];
  const marks = [["p50", load.p50_ms, "--p50"], ["p95", load.p95_ms, "--p95"], ["p99", load.p99_ms, "--p99"], ["max", load.max_ms, "--max"]];
  const ticks = logTicks(Math.max(0.001, load.p50_ms), Math.max(load.max_ms, load.p50_ms * 1.01), 5);
  const [low, high] = [Math.log10(ticks[0]), Math.log10(ticks[ticks.length - 1])];
  const place = (ms) => pad + ((Math.log10(Math.max(ms, ticks[0])) - low) / (high - low)) * (wide - 2 * pad);
  return part("Spread", svg("svg", { viewBox: `0 0 ${wide} ${height}`, class: "spread", role: "img", "aria-label": "percentiles on a logarithmic line" },
    ticks.map((tick) => [svg("line", { x1: place(tick), x2: place(tick), y1: 6, y2: 28, class: "grid" }), svg("text", { x: place(tick), y: 41, class: "tick", "text-anchor": "middle" }, tickDuration(tick))]),
    svg("line", { x1: place(load.p50_ms), x2: place(load.max_ms), y1: 17, y2: 17, class: "whisker" }),
    marks.map(([name, ms, color]) => svg("circle", { cx: place(ms), cy: 17, r: 5, fill: css(color) }, svg("title", {}, `${name} ${duration(ms)}`)))),
  el("div", { class: "legend" }, marks.map(([name, ms, color]) => el("span", { class: "key" }, swatch(color), `${name} ${duration(ms)}`))));
}

/** Its time in the stretch that is shown above. */
function overTime(statement) {
  const shown = statement.slices.filter((slice) => slice.t + width > state.from && slice.t < state.to);
  if (buckets.length < 2 || !shown.length) return null;
  const [wide, height] = [300, 60];
  const area = { left: 0, right: wide, plot: wide, top: 2, bottom: height };
  const most = Math.max(...shown.map((slice) => slice.total_ms));
  const bars = shown.map((slice) => {
    const { x, w } = slot(slice.t, area);
    return [x, height - Math.max(1, (slice.total_ms / most) * (height - 4)), w, height];
  });
  const peak = shown.find((slice) => slice.total_ms === most);
  return part("Over time", svg("svg", { viewBox: `0 0 ${wide} ${height}`, class: "spread", role: "img", "aria-label": "time in it, over the shown stretch" },
    svg("path", { d: barsPath(bars), fill: css("--calls") }), svg("line", { x1: 0, x2: wide, y1: height, y2: height, class: "grid" })),
  el("p", { class: "about", text: `Most at ${moment(peak.t)}: ${duration(peak.total_ms)} in ${counted(peak.calls, "call", "calls")}.` }));
}

/** Names with how often, as bars. */
function countsOf(title, counts) {
  const named = (counts || []).filter((count) => count.name);
  if (!named.length) return null;
  const all = counts.reduce((sum, count) => sum + count.count, 0);
  return part(title, el("ul", { class: "bars" }, named.slice(0, 8).map((count) => el("li", {}, el("span", { class: "name", text: count.name }), bar(count.count / all, short(count.count))))),
    named.length > 8 && el("p", { class: "about", text: `and ${named.length - 8} more` }));
}

function samplesOf(statement) {
  const samples = statement.samples || [];
  if (!samples.length) return null;
  return part(samples.length > 1 ? "Slowest runs" : "Slowest run", samples.map((sample, at) => {
    const inner = el("div", {});
    const make = () => inner.childElementCount || fill(inner, sampleOf(sample, statement));
    if (at === 0) make();
    return el("details", { class: "sample", open: at === 0, on: { toggle: make } },
      el("summary", {}, el("b", { text: known(sample.ms) }), sample.at && el("span", { class: "about", text: moment(Date.parse(sample.at)) }),
        sample.truncated && el("span", { class: "badge", text: "cut short" }), sample.plan && el("span", { class: "badge", text: "with plan" })), inner);
  }));
}

function sampleOf(sample, statement) {
  const parameters = sample.parameters || [];
  return [
    el("div", { class: "corner" }, copyButton(() => sample.text)),
    codeBlock(sample.text, statement.engine),
    parameters.length > 0 && el("table", { class: "plain" }, el("tbody", {}, parameters.map((parameter, at) =>
      el("tr", {}, el("th", { scope: "row", text: `$${at + 1}` }), el("td", {}, el("code", { text: parameter.value ?? "NULL" })))))),
    sample.plan && el("div", {}, el("h4", { text: "Its plan, as logged" }), el("div", { class: "corner" }, copyButton(() => sample.plan)), planOf(sample.plan)),
  ];
}

/** A plan in JSON is indented; any other text is shown as it is. */
function planOf(text) {
  let shown = text;
  if (/^\s*[[{]/.test(text)) {
    try {
      shown = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // Cut short by the log: shown as it came.
    }
  }
  return el("pre", { class: "code plan", tabindex: "0", text: shown });
}
