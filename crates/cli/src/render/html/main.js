// Puts the page together.

/** Light or dark: as the system has it, until the reader says otherwise. */
function themes() {
  const kept = () => { try { return localStorage.getItem("marula-theme"); } catch { return null; } };
  const apply = (theme) => { if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme; };
  apply(kept());
  document.getElementById("theme").addEventListener("click", () => {
    const now = document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    apply(next);
    try { localStorage.setItem("marula-theme", next); } catch { /* Not kept, then. */ }
  });
}

/** Sections that are there, as links. */
function navigation() {
  const links = [...document.querySelectorAll("main section")].map((part) =>
    el("a", { href: `#${part.id}`, on: { click: (event) => { event.preventDefault(); part.scrollIntoView({ behavior: "smooth" }); } } }, part.getAttribute("aria-label")));
  fill(document.getElementById("nav"), links);
}

/** Two sections side by side, where there are two. */
function pair(...parts) {
  const there = parts.filter(Boolean);
  return there.length > 1 ? el("div", { class: "columns two" }, there) : there;
}

function start() {
  themes();
  readHash();
  // What draws itself anew when the choice changes is drawn once it has its place and width.
  const [charts, drawCharts] = [timelineSection()].flat();
  const [table, drawTable] = [statementsSection()].flat();
  fill(document.getElementById("main"), headline(), comparisonSection(), latencySection(), adviceSection(), charts, table,
    pair(histogramSection(), originsSection()), errorsSection(), eventsSection(), sourcesSection(),
    el("footer", { class: "about" }, `Made by ${document.querySelector("meta[name=generator]").content}. Times are UTC. Counts, sums and longest runs are exact, percentiles within 1 %.`));
  for (const draw of [drawTable, drawCharts]) if (draw) draw();
  navigation();
  addEventListener("hashchange", () => {
    if (!location.hash.includes("=")) return;
    state.open.clear();
    Object.assign(state, whole, { sort: DEFAULT_SORT });
    readHash();
    changed("view");
  });
  if (state.open.size === 1) document.querySelector(".opened")?.scrollIntoView();
  document.documentElement.dataset.ready = "true";
}

start();
