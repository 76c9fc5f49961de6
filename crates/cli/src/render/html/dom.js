// Elements are made, never parsed: what a log holds only ever becomes a text node.

/** An element with properties (`class`, `text`, `on`, attributes) and children. */
function el(tag, props, ...children) {
  return furnish(document.createElement(tag), props, children);
}

/** The same in SVG. */
function svg(tag, props, ...children) {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

function furnish(node, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "on") for (const [type, call] of Object.entries(value)) node.addEventListener(type, call);
    else if (name === "width%") node.style.width = `${Math.max(0, Math.min(100, value))}%`;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Replaces all children. */
function fill(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A button. */
function button(label, call, props) {
  return el("button", { type: "button", ...props, on: { click: call }, text: label });
}

/** A section of the page, with its heading. */
function section(id, title, about, ...children) {
  const head = el("div", { class: "head" }, el("h2", { text: title }), about && el("p", { class: "about", text: about }));
  return el("section", { id, "aria-label": title }, head, ...children);
}

/** `name` in front of a quiet bar whose length is `share`. */
function bar(share, label, color) {
  const inner = el("span", { class: "fill", "width%": share * 100 });
  if (color) inner.style.background = color;
  return el("span", { class: "share" }, el("span", { class: "track", "aria-hidden": "true" }, inner), el("span", { class: "num", text: label }));
}

/** A button that copies a text, and says that it did. */
function copyButton(text) {
  const node = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      const area = el("textarea", { class: "hidden" });
      area.value = text();
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    node.textContent = "Copied";
    setTimeout(() => (node.textContent = "Copy"), 1200);
  }, { class: "small" });
  return node;
}

/** What went wrong in this page, in sight: a report that is half drawn must not look whole. */
function trouble(what) {
  const node = document.getElementById("trouble");
  node.hidden = false;
  node.append(el("p", { text: `This page met a defect of its own: ${what}` }));
}

addEventListener("error", (event) => trouble(event.message));
addEventListener("unhandledrejection", (event) => trouble(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => trouble(`${event.violatedDirective} forbids ${event.blockedURI}`));
