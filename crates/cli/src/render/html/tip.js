// What the bucket under the cursor holds.

const tip = document.getElementById("tip");

function hideTip() {
  tip.hidden = true;
}

/** Shows the bucket at `t` beside the cursor, `x` from the left edge of `box`. */
function tipFor(t, box, x) {
  const from = whole.from + Math.floor((t - whole.from) / columnWidth) * columnWidth;
  const bucket = columns.find((one) => one.t <= t && t < one.t + columnWidth);
  const rows = [];
  const row = (name, value, color) => rows.push(el("div", { class: "row" }, el("span", {}, color && swatch(color), name), el("b", { text: value })));
  if (!bucket) {
    rows.push(el("div", { class: "row", text: "nothing logged" }));
  } else {
    row("load", figures(bucket.total_ms / columnWidth, 3));
    row("calls", `${grouped(bucket.calls)} (${short((bucket.calls / columnWidth) * 1000)}/s)`);
    if (bucket.calls) {
      for (const [key, name, color] of PERCENTILES) row(name, duration(bucket[key]), color);
      row("longest", duration(bucket.max_ms), "--max");
    }
    for (const lane of lanes) if (lane.count(bucket)) row(lane.name, grouped(lane.count(bucket)));
    const most = colored.map((series) => ({ series, ms: timeOf(series, bucket) }))
      .filter(({ ms }) => ms > 0).sort((a, b) => b.ms - a.ms).slice(0, 3);
    for (const { series, ms } of most) row(`${series.statement.rank}. ${series.statement.label}`, percent(ms / bucket.total_ms), series.color);
  }
  fill(tip, el("div", { class: "when", text: `${moment(bucket ? bucket.t : from)} UTC` }), rows);
  tip.hidden = false;
  const wide = tip.offsetWidth;
  const left = box.left + x + 14 + wide > innerWidth ? box.left + x - 14 - wide : box.left + x + 14;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${Math.max(4, Math.min(box.top + 24, innerHeight - tip.offsetHeight - 4))}px`;
}
