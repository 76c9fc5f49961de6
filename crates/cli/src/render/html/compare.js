// What changed since other logs.

const TRENDS = [["slower", "Slower", "bad"], ["new", "New", "warn"], ["more_often", "More often", "warn"], ["faster", "Faster", "good"], ["less_often", "Less often", "good"], ["gone", "Gone", ""]];

function comparisonSection() {
  const { comparison } = report;
  if (!comparison) return null;
  const { before, after } = comparison;
  const arrow = (a, b) => `${duration(a)} → ${duration(b)}`;
  const summary = [
    `${duration(before.totals.total_ms)} in ${counted(before.totals.calls, "call", "calls")} then`,
    ...[["mean", "mean_ms"], ["p95", "p95_ms"], ["p99", "p99_ms"]].filter(([, key]) => before.totals[key] !== undefined && after.totals[key] !== undefined).map(([name, key]) => `${name} ${arrow(before.totals[key], after.totals[key])}`),
  ].join(" · ");
  const most = Math.max(1, ...comparison.statements.map((one) => Math.abs(one.growth_ms)));
  const listed = TRENDS.map(([trend, name, kind]) => [name, kind, comparison.statements.filter((one) => one.trend === trend)]).filter(([, , own]) => own.length);
  const rows = listed.flatMap(([name, kind, own]) => own.slice(0, 30).map((one) => changeRow(one, name, kind, most)));
  const left = listed.reduce((sum, [, , own]) => sum + Math.max(0, own.length - 30), 0);
  const heads = ["", "Statement", "Time an hour", "Mean", "", "p95", "Calls", ""];
  return section("comparison", `Compared with ${before.sources.join(", ") || "nothing"}`, summary, el("div", { class: "card" },
    rows.length ? el("div", { class: "scroll" }, el("table", { class: "plain changes" }, el("thead", {}, el("tr", {}, heads.map((name) => el("th", { scope: "col", text: name })))), el("tbody", {}, rows)))
      : el("p", { class: "empty", text: "No statement changed much." }),
    left > 0 && el("p", { class: "about", text: `and ${grouped(left)} smaller changes` })));
}

function changeRow(one, name, kind, most) {
  const pair = (value) => [one.before, one.after].filter(Boolean).map(value).join(" → ");
  const times = (ratio) => (ratio === undefined ? "" : `${figures(ratio, ratio < 10 ? 2 : 3)}×`);
  const label = [one.operation, (one.objects || []).slice(0, 6).join(", ")].filter(Boolean).join(" ");
  const listed = statements.find((statement) => statement.fingerprint === one.fingerprint);
  return el("tr", {}, el("td", {}, el("span", { class: `badge ${kind}`, text: name })),
    el("td", { class: "grow" }, listed ? button(label, () => reveal(one.fingerprint), { class: "link", title: "Show this statement" }) : label, codeLine(one.shape, one.engine, 150)),
    el("td", {}, bar(Math.abs(one.growth_ms) / most, `${one.growth_ms < 0 ? "−" : "+"}${duration(Math.abs(one.growth_ms))}`, css(one.growth_ms < 0 ? "--accent" : "--warn"))),
    el("td", { text: pair((load) => duration(load.mean_ms)) }), el("td", { class: one.mean_ratio >= 1.25 ? "warn" : "", text: times(one.mean_ratio) }),
    el("td", { text: pair((load) => known(load.p95_ms)) }), el("td", { text: pair((load) => short(load.calls)) }), el("td", { text: times(one.calls_ratio) }));
}
