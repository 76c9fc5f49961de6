// Everything around charts and statements: numbers, advice, spread, origins, errors, events, sources.

function headline() {
  const { totals, span } = digest;
  const entries = digest.sources.reduce((sum, source) => sum + source.entries, 0);
  const errors = digest.errors.reduce((sum, error) => sum + error.count, 0);
  const seconds = span ? (Date.parse(span.to) - Date.parse(span.from)) / 1000 : 0;
  // pg_stat_statements counts, and logs nothing.
  const counters = digest.sources.length > 0 && digest.sources.every((source) => (source.format || "").startsWith("pg_stat_statements"));
  const read = counters ? counted(entries, "counter", "counters") : counted(entries, "log entry", "log entries");
  const tile = (name, value, about, kind) => el("div", { class: `tile ${kind || ""}` }, el("span", { class: "name", text: name }), el("b", { text: value }), el("span", { class: "about", text: about || "" }));
  const names = digest.sources.map((source) => source.name);
  return el("div", { id: "overview", class: "overview" },
    el("h1", { text: names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ") || "No source" }),
    el("p", { class: "about", text: span ? `${spanned(Date.parse(span.from), Date.parse(span.to))} UTC (${duration(seconds * 1000)})` : "No entry has a time." }),
    el("div", { class: "tiles" },
      tile("Time in statements", duration(totals.total_ms), seconds > 1 ? `${figures(totals.total_ms / 1000 / seconds, 3)} running on average` : ""),
      tile("Calls", short(totals.calls), seconds > 1 ? `${short(totals.calls / seconds)}/s of ${read}` : read),
      tile("Statements", grouped(statements.length + digest.statements_left_out), "of different shape"),
      totals.p50_ms === undefined ? tile("Mean", duration(totals.mean_ms), totals.min_ms === undefined ? "" : `shortest ${duration(totals.min_ms)}`) : tile("Half took at most", duration(totals.p50_ms), `mean ${duration(totals.mean_ms)}`),
      totals.p95_ms !== undefined && tile("95 % at most", duration(totals.p95_ms), `99 %: ${known(totals.p99_ms)}`),
      totals.max_ms !== undefined && tile("Longest", duration(totals.max_ms), ""),
      tile("Errors", short(errors), digest.errors.length ? `of ${counted(digest.errors.length, "kind", "kinds")}` : "none logged", errors ? "bad" : "")));
}

const SEVERITIES = { high: "bad", medium: "warn", low: "", info: "" };

function adviceSection() {
  const { findings, changes } = report;
  if (!findings.length && !changes.length) return null;
  return section("advice", "Advice", "", el("div", { class: "card list" },
    findings.map((finding) => el("div", { class: "item" }, el("p", {}, el("span", { class: `badge ${SEVERITIES[finding.severity]}`, text: finding.severity }), el("b", { text: finding.title })),
      el("p", { class: "about", text: finding.evidence.map(evidenceText).join(" · ") }), finding.explanation && el("p", { text: finding.explanation }))),
    changes.map((change) => el("div", { class: "item" }, el("p", {}, el("span", { class: `badge ${change.proof.verdict === "proven" ? "good" : ""}`, text: change.proof.verdict.replaceAll("_", " ") }), el("b", { text: change.title })), el("p", { class: "about", text: proofText(change.proof) }),
      change.up.map((text) => [el("div", { class: "corner" }, copyButton(() => text)), codeBlock(text, change.engine)]),
      (change.hazards || []).map((hazard) => el("p", { class: "about", text: `Mind: ${hazard}` }))))));
}

/** How long reads of each collection or table take; there with --advise. */
function latencySection() {
  const objects = digest.objects || [];
  if (!objects.length) return null;
  const worst = Math.max(...objects.map((one) => one.load.mean_ms));
  const per = (count, { returned }) => {
    if (count === undefined || returned === undefined) return "";
    const ratio = count / Math.max(returned, 1);
    return ratio < 1000 ? figures(ratio, 3) : short(ratio);
  };
  const heads = ["Collection or table", "Mean", "95 % at most", "Reads", "Total", "Share", "Read per row", "Keys per row"];
  return section("latency", "Read latency", "Reads by collection or table, the slowest on average first.", el("div", { class: "card" }, el("div", { class: "scroll" },
    el("table", { class: "plain changes" }, el("thead", {}, el("tr", {}, heads.map((name) => el("th", { scope: "col", text: name })))),
      el("tbody", {}, objects.map((one) => el("tr", {}, el("th", { scope: "row", text: one.name }), el("td", {}, bar(worst ? one.load.mean_ms / worst : 0, duration(one.load.mean_ms), css("--s2"))),
        el("td", { text: known(one.load.p95_ms) }), el("td", { text: short(one.load.calls) }), el("td", { text: duration(one.load.total_ms) }), el("td", { text: `${figures(one.share * 100, 2)} %` }),
        el("td", { text: per(one.load.reads, one.load) }), el("td", { text: per(one.load.keys, one.load) }))))))));
}

/** `16 ms → 1.1 ms (12× faster); results are equal`. */
function proofText({ before, after, speedup, reason }) {
  const times = before && after && before.ms !== undefined && after.ms !== undefined
    ? `${duration(before.ms)} → ${duration(after.ms)}${speedup > 1.05 ? ` (${figures(speedup, speedup < 100 ? 2 : 3)}× faster)` : ""}` : "";
  return [times, reason].filter(Boolean).join("; ");
}

function evidenceText(evidence) {
  const value = typeof evidence.value === "number" ? { ms: duration, bytes, kB: (kb) => bytes(kb * 1024) }[evidence.unit] : undefined;
  if (value) return `${evidence.name} ${value(evidence.value)}`;
  const shown = typeof evidence.value === "number" ? (evidence.value % 1 ? figures(evidence.value, 3) : grouped(evidence.value)) : evidence.value;
  return [evidence.name, shown, evidence.unit].filter((word) => word !== undefined && word !== null).join(" ");
}

/** How the calls, and the time, spread over durations. */
function histogramSection() {
  const bars = digest.histogram;
  if (!bars.length) return null;
  const calls = Math.max(...bars.map((one) => one.calls));
  const times = Math.max(...bars.map((one) => one.total_ms));
  return section("durations", "Durations", "How many calls took how long, and how much of all time they took.", el("div", { class: "card" },
    el("table", { class: "histogram" }, el("thead", {}, el("tr", {}, ["From – to", "Calls", "Time"].map((name) => el("th", { scope: "col", text: name })))),
      el("tbody", {}, bars.map((one) => el("tr", {}, el("th", { scope: "row", text: `${one.from_ms ? duration(one.from_ms) : "0"} – ${duration(one.to_ms)}` }),
        el("td", {}, bar(one.calls / calls, short(one.calls), css("--calls"))), el("td", {}, bar(times ? one.total_ms / times : 0, duration(one.total_ms), css("--s2")))))))));
}

function originsSection() {
  const kinds = [["database", "Databases"], ["user", "Users"], ["application", "Applications"], ["host", "Hosts"]];
  const all = digest.totals.total_ms || 1;
  const boxes = kinds.map(([kind, title]) => [title, digest.origins.filter((origin) => origin.kind === kind)])
    .filter(([, origins]) => origins.some((origin) => origin.name))
    .map(([title, origins]) => el("div", { class: "card" }, el("h3", { text: title }), el("ul", { class: "bars" },
      [...origins].sort((a, b) => b.total_ms - a.total_ms).slice(0, 10).map((origin) => el("li", { title: counted(origin.calls, "call", "calls") },
        origin.name ? el("span", { class: "name", text: origin.name }) : el("span", { class: "name about", text: "not told" }), bar(origin.total_ms / all, `${duration(origin.total_ms)} · ${short(origin.calls)}`)))),
    origins.length > 10 && el("p", { class: "about", text: `and ${origins.length - 10} more` })));
  return boxes.length ? section("origins", "Origins", "Where the time comes from: time, and calls.", el("div", { class: "columns" }, boxes)) : null;
}

const within = (span) => (span ? spanned(Date.parse(span.from), Date.parse(span.to)) : "");

function errorsSection() {
  if (!digest.errors.length) return null;
  const most = Math.max(...digest.errors.map((error) => error.count));
  return section("errors", "Errors", "", el("div", { class: "card list" }, digest.errors.map((error) => el("details", { class: "item" },
    el("summary", {}, el("span", { class: `badge ${error.severity === "WARNING" ? "warn" : "bad"}`, text: error.severity }), error.code && el("code", { text: error.code }),
      el("span", { class: "grow", text: error.message }), bar(error.count / most, short(error.count), css("--bad"))),
    el("p", { class: "about", text: within(error.span) }), el("pre", { class: "code", tabindex: "0", text: error.sample }),
    error.statement && [el("h4", { text: "The statement that failed" }), codeBlock(error.statement, error.engine)]))));
}

const AMOUNTS = { temp_file: bytes };

function eventsSection() {
  if (!digest.events.length) return null;
  const amount = (event, value) => (AMOUNTS[event.kind] || duration)(value);
  return section("events", "Locks and other events", "", el("div", { class: "card list" }, digest.events.map((event) => el("details", { class: "item" },
    el("summary", {}, el("span", { class: "swatch" }), el("b", { class: "kind", text: kindName(event.kind) }), el("span", { class: "grow about", text: (event.about || []).slice(0, 4).map((one) => `${one.name} ${short(one.count)}`).join(" · ") }),
      event.total ? el("span", { class: "about", text: `${amount(event, event.total)} in all, at most ${amount(event, event.max || 0)}` }) : null, el("b", { class: "num", text: short(event.count) })),
    el("p", { class: "about", text: within(event.span) }), countsOf("About", event.about), el("pre", { class: "code", tabindex: "0", text: event.sample })))));
}

function sourcesSection() {
  const has = (name) => digest.sources.some((source) => source[name]);
  const columns = [
    ["Source", (source) => source.name], ["Format", (source) => source.format || "not recognised"],
    has("prefix") && ["log_line_prefix", (source) => el("code", { text: source.prefix || "" })], has("compression") && ["Packed", (source) => source.compression || ""],
    ["Size", (source) => bytes(source.bytes)], ["Lines", (source) => grouped(source.lines)], ["Entries", (source) => grouped(source.entries)],
    ["Unread", (source) => el("span", { class: source.unread ? "warn" : "", text: grouped(source.unread) })],
    has("truncated") && ["Cut short", (source) => grouped(source.truncated)], has("clock_jumps") && ["Clock went back", (source) => grouped(source.clock_jumps)],
    has("language") && ["Messages in", (source) => (source.language ? `${source.language}: durations are not understood` : "")],
    has("ended") && ["Ended early", (source) => source.ended || ""],
  ].filter(Boolean);
  const unread = digest.sources.filter((source) => (source.unread_samples || []).length);
  return section("sources", "Sources", "What was read, and what could not be.", el("div", { class: "card" },
    el("div", { class: "scroll" }, el("table", { class: "plain" }, el("thead", {}, el("tr", {}, columns.map(([name]) => el("th", { scope: "col", text: name })))),
      el("tbody", {}, digest.sources.map((source) => el("tr", {}, columns.map(([, cell]) => el("td", {}, cell(source)))))))),
    unread.map((source) => el("details", { class: "item" }, el("summary", { text: `Unread lines of ${source.name}` }), el("pre", { class: "code", tabindex: "0", text: source.unread_samples.map((line) => `${line.line}: ${line.text}`).join("\n") }))),
    (report.notes || []).map((note) => el("p", { class: "about", text: note }))));
}
