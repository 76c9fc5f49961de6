// From values to places: axes, ticks, and the geometry all charts over time share.

/** Colours of series, told apart by people who see fewer; the last is for "everything else". */
const SERIES = ["--s1", "--s2", "--s3", "--s4", "--s5", "--s6"];
const OTHERS = "--s0";
const css = (name) => `var(${name})`;

/** About `wanted` round values from 0 to at least `max`. */
function niceTicks(max, wanted) {
  if (!(max > 0)) return [0, 1];
  const rough = max / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const ticks = [];
  for (let at = 0; ; at += 1) {
    ticks.push(at * step);
    if (at * step >= max) return ticks;
  }
}

/** A power of ten of milliseconds, in milliseconds or seconds. */
function tickDuration(ms) {
  return ms < 1000 ? duration(ms) : `${grouped(ms / 1000)} s`;
}

/** Powers of ten around `[min, max]`, thinned to at most `most`. */
function logTicks(min, max, most) {
  const from = Math.floor(Math.log10(min));
  const to = Math.max(from + 1, Math.ceil(Math.log10(max)));
  const step = Math.ceil((to - from) / most);
  const ticks = [];
  for (let power = from; power < to + step; power += step) ticks.push(10 ** power);
  return ticks;
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5,
  36e5, 72e5, 108e5, 216e5, 432e5, 864e5, 1728e5, 6048e5, 12096e5, 25920e5, 77760e5, 31536e6, 63072e6, 31536e7];

/** Round moments between `from` and `to`, and their step. */
function timeTicks(from, to, wanted) {
  const rough = (to - from) / Math.max(1, wanted);
  const step = STEPS.find((size) => size >= rough) || STEPS[STEPS.length - 1];
  const ticks = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) ticks.push(t);
  return { ticks, step };
}

/** A tick's label: the day where a new one begins, the time elsewhere. */
function timeLabel(t, step, first) {
  if (step >= 864e5) return day(t).slice(step >= 31536e6 ? 0 : 5, step >= 31536e6 ? 4 : 10);
  return first || t % 864e5 === 0 ? `${day(t).slice(5)} ${clock(t, step)}` : clock(t, step);
}

/** Where a chart's plot lies in its box. */
function frame(box, height) {
  const wide = Math.max(220, box.clientWidth || 900);
  const left = wide < 560 ? 68 : 84;
  return { wide, height, left, right: wide - 8, top: 6, bottom: height - 4, plot: wide - 8 - left };
}

/** A place on the time axis. */
const placeOf = (t, area) => area.left + ((t - state.from) / (state.to - state.from)) * area.plot;

/** Grid lines and their labels for a value axis; `place` maps a value to its height. */
function valueAxis(area, ticks, place, label) {
  return ticks.map((tick) => {
    const y = place(tick);
    return [
      svg("line", { x1: area.left, x2: area.right, y1: y, y2: y, class: "grid" }),
      svg("text", { x: area.left - 6, y: y + 3.5, class: "tick", "text-anchor": "end" }, label(tick)),
    ];
  });
}

/** The time axis below all charts. */
function timeAxis(area) {
  const { ticks, step } = timeTicks(state.from, state.to, area.plot / 92);
  let last = -1e9;
  return svg("svg", { width: area.wide, height: 20, class: "axis", "aria-hidden": "true" }, ticks.map((t, at) => {
    const x = placeOf(t, area);
    const text = timeLabel(t, step, at === 0);
    const half = text.length * 3.1;
    if (x - half < last || x + half > area.wide) return null;
    last = x + half + 8;
    return [
      svg("line", { x1: x, x2: x, y1: 0, y2: 4, class: "grid" }),
      svg("text", { x: Math.max(half, x), y: 15, class: "tick", "text-anchor": "middle" }, text),
    ];
  }));
}

/** One bucket's left edge and width on the screen; a hairline at least, a gap where there is room. */
function slot(t, area, span = width) {
  const from = Math.max(placeOf(t, area), area.left);
  const to = Math.min(placeOf(t + span, area), area.right);
  const gap = to - from > 5 ? 1 : 0;
  return { x: from, w: Math.max(0.8, to - from - gap) };
}

const fixed = (value) => Math.round(value * 100) / 100;

/** Bars as one path: `[x, top, width, bottom]` each. */
function barsPath(bars) {
  return bars.map(([x, top, w, bottom]) => `M${fixed(x)} ${fixed(bottom)}V${fixed(top)}h${fixed(w)}V${fixed(bottom)}z`).join("");
}

/** A line over buckets, broken where buckets are missing; a lone bucket is a short dash. */
function linePath(points, area) {
  let path = "";
  let last = null;
  for (const { t, y } of points) {
    const { x, w } = slot(t, area, columnWidth);
    const near = last !== null && t - last <= columnWidth * 1.5;
    if (near) path += `L${fixed(x + w / 2)} ${fixed(y)}`;
    else path += `M${fixed(x + w / 2 - Math.min(3, w / 2))} ${fixed(y)}h${fixed(Math.min(3, w / 2))}`;
    last = t;
  }
  return path;
}
