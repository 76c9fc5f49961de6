// The charts over time: load by statement, calls, latency, and a lane for each kind of event.

const KINDS = {
  lock_wait: "lock waits", deadlock: "deadlocks", cancelled: "cancelled", temp_file: "temp files", checkpoint: "checkpoints",
  autovacuum: "autovacuum", autoanalyze: "autoanalyze", connected: "connections", disconnected: "disconnects",
  slow_connection: "slow connects", index_build: "index builds", election: "elections", eviction: "eviction",
  started: "starts", stopped: "stops",
};
const kindName = (kind) => KINDS[kind] || kind.replaceAll("_", " ");

/** The statements that get a colour of their own: most time first. */
const colored = [...statements].filter((statement) => statement.slices.length)
  .sort((a, b) => b.load.total_ms - a.load.total_ms).slice(0, SERIES.length)
  .map((statement, at) => ({ statement, color: SERIES[at], at: new Map(statement.slices.map((slice) => [slice.t, slice])) }));

/** A statement's time in a column. */
const timeOf = (series, column) => column.parts.reduce((sum, part) => sum + (series.at.get(part.t)?.total_ms || 0), 0);

/** Statements running at once, on the average of each bucket, stacked by statement. */
function loadPanel(box) {
  const area = frame(box, 150);
  const shown = columns;
  const max = Math.max(0, ...shown.map((bucket) => bucket.total_ms / columnWidth));
  const ticks = niceTicks(max, 3);
  const place = (value) => area.bottom - (value / ticks[ticks.length - 1]) * (area.bottom - area.top);
  const layers = [...colored.map(() => []), []];
  for (const bucket of shown) {
    const { x, w } = slot(bucket.t, area, columnWidth);
    let below = 0;
    const put = (layer, ms) => {
      if (ms <= 0) return;
      layers[layer].push([x, place((below + ms) / columnWidth), w, place(below / columnWidth)]);
      below += ms;
    };
    colored.forEach((series, at) => put(at, timeOf(series, bucket)));
    put(colored.length, bucket.total_ms - below);
  }
  const paths = layers.map((bars, at) => svg("path", { d: barsPath(bars), fill: css(at < colored.length ? colored[at].color : OTHERS) }));
  return chart(area, "Load over time", valueAxis(area, ticks, place, (tick) => short(tick)), paths);
}

/** Statements a second. */
function callsPanel(box) {
  const area = frame(box, 84);
  const rate = (bucket) => (bucket.calls / columnWidth) * 1000;
  const shown = columns;
  const ticks = niceTicks(Math.max(0, ...shown.map(rate)), 2);
  const place = (value) => area.bottom - (value / ticks[ticks.length - 1]) * (area.bottom - area.top);
  const bars = shown.filter((bucket) => bucket.calls).map((bucket) => {
    const { x, w } = slot(bucket.t, area, columnWidth);
    return [x, place(rate(bucket)), w, area.bottom];
  });
  return chart(area, "Calls a second over time", valueAxis(area, ticks, place, (tick) => short(tick)), svg("path", { d: barsPath(bars), fill: css("--calls") }));
}

const PERCENTILES = [["p50_ms", "p50", "--p50"], ["p95_ms", "p95", "--p95"], ["p99_ms", "p99", "--p99"]];

/** Percentiles and the longest run, on a logarithmic axis. */
function latencyPanel(box) {
  const area = frame(box, 140);
  const shown = columns.filter((bucket) => bucket.calls);
  const least = Math.max(0.001, Math.min(...shown.map((bucket) => bucket.p50_ms).filter((ms) => ms > 0), 1e9));
  const most = Math.max(least * 10, ...shown.map((bucket) => bucket.max_ms));
  const ticks = logTicks(shown.length ? least : 1, shown.length ? most : 10, 5);
  const [low, high] = [Math.log10(ticks[0]), Math.log10(ticks[ticks.length - 1])];
  const place = (ms) => area.bottom - ((Math.log10(Math.max(ms, ticks[0])) - low) / (high - low)) * (area.bottom - area.top);
  const lines = PERCENTILES.map(([key, , color]) => svg("path", {
    d: linePath(shown.map((bucket) => ({ t: bucket.t, y: place(bucket[key]) })), area), class: "line", stroke: css(color),
  }));
  const dots = shown.map((bucket) => {
    const { x, w } = slot(bucket.t, area, columnWidth);
    return `M${fixed(x + w / 2 - 1)} ${fixed(place(bucket.max_ms) - 1)}h2v2h-2z`;
  });
  return chart(area, "Latency percentiles over time", valueAxis(area, ticks, place, tickDuration), svg("path", { d: dots.join(""), fill: css("--max") }), lines);
}

/** The lanes there are: errors first, then the kinds of events. */
const lanes = [
  ...(buckets.some((bucket) => bucket.errors) ? [{ kind: "errors", name: "errors", count: (bucket) => bucket.errors }] : []),
  ...Object.keys(KINDS).filter((kind) => buckets.some((bucket) => bucket.kinds[kind]))
    .map((kind) => ({ kind, name: kindName(kind), count: (bucket) => bucket.kinds[kind] || 0 })),
];

/** A lane a kind: the darker, the more of them. */
function eventsPanel(box) {
  const tall = 17;
  const area = frame(box, lanes.length * tall + 8);
  const shown = columns;
  const rows = lanes.map((lane, at) => {
    const y = area.top + at * tall;
    const most = Math.max(1, ...columns.map(lane.count));
    const cells = shown.filter(lane.count).map((bucket) => {
      const { x, w } = slot(bucket.t, area, columnWidth);
      const strength = 0.35 + 0.65 * Math.sqrt(lane.count(bucket) / most);
      return svg("rect", { x: fixed(x), y, width: fixed(Math.max(2, w)), height: tall - 4, "fill-opacity": strength.toFixed(2), fill: css(laneColor(lane.kind)) });
    });
    return [
      svg("text", { x: area.left - 6, y: y + 10.5, class: "tick", "text-anchor": "end" }, lane.name),
      svg("line", { x1: area.left, x2: area.right, y1: y + tall - 2.5, y2: y + tall - 2.5, class: "grid" }),
      cells,
    ];
  });
  return chart(area, "Errors and events over time", rows);
}

function laneColor(kind) {
  if (["errors", "deadlock", "stopped"].includes(kind)) return "--bad";
  if (["lock_wait", "cancelled", "temp_file", "slow_connection", "eviction", "election"].includes(kind)) return "--warn";
  return "--calls";
}

function chart(area, name, ...children) {
  return svg("svg", { width: area.wide, height: area.height, role: "img", "aria-label": name }, ...children);
}
