// The charts together: one time axis, one cursor, one zoom; by mouse, finger and keyboard.

const PANELS = [
  { title: "Load", about: "statements running at once, on average", draw: loadPanel, legend: loadLegend },
  { title: "Calls", about: "a second", draw: callsPanel },
  { title: "Latency", about: "of the runs in a column", draw: latencyPanel, legend: latencyLegend },
  { title: "Errors and events", about: "", draw: eventsPanel, only: () => lanes.length > 0 },
];

function timelineSection() {
  if (!buckets.length || !width) {
    return section("timeline", "Over time", "", el("p", { class: "card empty", text: "No entry has a time, so there is nothing to draw over it." }));
  }
  const shown = PANELS.filter((panel) => !panel.only || panel.only()).map((panel) => ({ ...panel, box: el("div", { class: "plot" }) }));
  const axis = el("div", { class: "plot" });
  const cursor = el("div", { class: "cursor", hidden: true });
  const chosen = el("div", { class: "chosen", hidden: true });
  const stack = el("div", {
    class: "stack", tabindex: "0", role: "application",
    "aria-label": "Charts over time. Arrow keys move the cursor, with Shift they choose a stretch of time, Enter zooms into it, plus and minus zoom, Escape shows everything.",
  }, shown.map((panel) => el("div", { class: "panel" },
    el("div", { class: "legend" }, el("b", { text: panel.title }), el("span", { class: "about", text: panel.about }), panel.legend && panel.legend()), panel.box)),
  axis, chosen, cursor);
  const range = el("span", { class: "range" });
  const back = button("Show everything", unzoom, { class: "small", id: "unzoom" });
  const tools = el("div", { class: "tools" }, range, button("−", () => zoomBy(2), { class: "small", "aria-label": "Zoom out" }),
    button("+", () => zoomBy(0.5), { class: "small", "aria-label": "Zoom in" }), back);

  const draw = () => {
    chooseColumns(frame(axis, 20).plot / 4);
    for (const panel of shown) fill(panel.box, panel.draw(panel.box));
    fill(axis, timeAxis(frame(axis, 20)));
    range.textContent = `${spanned(state.from, state.to)} UTC, ${duration(columnWidth)} a column`;
    if (columnWidth > width) range.textContent += ` (percentiles: weighted means of its ${duration(width)})`;
    back.disabled = !zoomed();
  };
  steer(stack, { cursor, chosen, area: () => frame(axis, 20) });
  watch((what) => what === "view" && draw());
  let wide;
  new ResizeObserver(() => {
    if (wide !== undefined && stack.clientWidth !== wide) requestAnimationFrame(draw);
    wide = stack.clientWidth;
  }).observe(stack);
  return [section("timeline", "Over time", "Drag to zoom, double-click to see everything; the statements below are counted in the stretch you see.", el("div", { class: "card" }, tools, stack)), draw];
}

function zoomBy(factor, around) {
  const middle = around ?? (state.from + state.to) / 2;
  zoom(middle - (middle - state.from) * factor, middle + (state.to - middle) * factor);
}

/** Pointer and keys on the stack of charts. */
function steer(stack, { cursor, chosen, area }) {
  let start = null;
  let at = null;
  const local = (event) => event.clientX - stack.getBoundingClientRect().left - stack.clientLeft - padding();
  const padding = () => parseFloat(getComputedStyle(stack).paddingLeft) || 0;
  const timeAt = (x) => {
    const { left, plot } = area();
    return state.from + (Math.max(0, Math.min(plot, x - left)) / plot) * (state.to - state.from);
  };
  const xOf = (t) => placeOf(t, area()) + padding();
  const show = (t) => {
    at = t;
    cursor.hidden = false;
    cursor.style.left = `${xOf(t)}px`;
    chosen.hidden = start === null;
    if (start !== null) {
      chosen.style.left = `${xOf(Math.min(start, t))}px`;
      chosen.style.width = `${Math.abs(xOf(t) - xOf(start))}px`;
    }
    tipFor(t, stack.getBoundingClientRect(), xOf(t));
  };
  const hide = () => {
    cursor.hidden = chosen.hidden = true;
    start = at = null;
    hideTip();
  };
  const finish = () => {
    const [from, to] = [start, at];
    hide();
    if (from !== null && to !== null && Math.abs(to - from) > (state.to - state.from) / 200) zoom(from, to);
  };
  stack.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("button")) return;
    start = timeAt(local(event));
    if (event.isTrusted) stack.setPointerCapture(event.pointerId);
    show(start);
  });
  stack.addEventListener("pointermove", (event) => show(timeAt(local(event))));
  stack.addEventListener("pointerup", finish);
  stack.addEventListener("pointercancel", hide);
  stack.addEventListener("pointerleave", () => start === null && hide());
  stack.addEventListener("blur", hide);
  stack.addEventListener("dblclick", (event) => event.target.closest("button") || unzoom());
  stack.addEventListener("keydown", (event) => {
    if (event.target !== stack || event.ctrlKey || event.metaKey || event.altKey) return;
    const pace = columnWidth * (event.key.startsWith("Page") ? 10 : 1);
    const move = (way) => {
      const from = at ?? (state.from + state.to) / 2;
      if (event.shiftKey && start === null) start = from;
      if (!event.shiftKey) start = null;
      show(Math.max(state.from, Math.min(state.to, from + way * pace)));
    };
    const keys = {
      ArrowLeft: () => move(-1), ArrowRight: () => move(1), PageUp: () => move(-1), PageDown: () => move(1),
      Enter: finish, Escape: () => (start !== null ? hide() : unzoom()), 0: unzoom,
      "+": () => zoomBy(0.5, at ?? undefined), "=": () => zoomBy(0.5, at ?? undefined), "-": () => zoomBy(2, at ?? undefined),
    };
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
}

function loadLegend() {
  const names = colored.map(({ statement, color }) => {
    const node = button(`${statement.rank}. ${statement.label}`, () => reveal(statement.fingerprint), { class: "key", title: "Show this statement" });
    node.prepend(swatch(color));
    return node;
  });
  return [...names, statements.length + digest.statements_left_out > colored.length && el("span", { class: "key" }, swatch(OTHERS), "all others")];
}

function latencyLegend() {
  const names = [...PERCENTILES.map(([, name, color]) => [name, color]), ["longest", "--max"]];
  return names.map(([name, color]) => el("span", { class: "key" }, swatch(color), name));
}

function swatch(color) {
  const node = el("i", { class: "swatch", "aria-hidden": "true" });
  node.style.background = css(color);
  return node;
}
