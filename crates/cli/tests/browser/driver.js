// Uses the page as a reader would and writes what came of it where the test finds it.
(() => {
  const outcome = { failed: [] };
  const all = (selector) => [...document.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const expect = (what, holds, seen) => holds || outcome.failed.push(`${what}: ${JSON.stringify(seen)}`);
  const rows = () => all(".statements > tbody > tr:not(.detail)");
  const column = (key) => rows().map((row) => row.querySelector(`.c-${key}`).textContent);
  const data = JSON.parse(one("#data").textContent).digest;
  const first = () => one(".statements > tbody > tr .open").dataset.open;
  const press = (node, key, more) => node.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));

  try {
    // Sorting: by calls, largest first, then smallest first.
    const calls = data.statements.map((statement) => statement.load.calls);
    const callsOfFirst = () => data.statements.find((statement) => statement.fingerprint === first()).load.calls;
    one('th[data-key="calls"] button').click();
    expect("most calls first", callsOfFirst() === Math.max(...calls), column("calls"));
    expect("the head says so", one('th[data-key="calls"]').getAttribute("aria-sort") === "descending", "");
    one('th[data-key="calls"] button').click();
    expect("fewest calls first", callsOfFirst() === Math.min(...calls), column("calls"));
    one('th[data-key="rank"] button').click();
    expect("back to the report's order", first() === data.statements[0].fingerprint, column("rank"));

    // Searching, and an empty result with its way out.
    const search = one("#search");
    const type = (text) => { search.value = text; search.dispatchEvent(new Event("input", { bubbles: true })); };
    type("Customers");
    const found = data.statements.filter((statement) => statement.shape.toLowerCase().includes("customers"));
    expect("a search finds", rows().length === found.length && found.length > 0, [rows().length, found.length]);
    type("no such statement anywhere");
    expect("nothing found is said", one(".empty button") !== null, one(".statements").textContent);
    one(".empty button").click();
    expect("everything again", rows().length === Math.min(50, data.statements.length), rows().length);
    const filter = one("#by-operation");
    filter.value = "UPDATE";
    filter.dispatchEvent(new Event("change", { bubbles: true }));
    expect("only updates", rows().length > 0 && all(".op").every((op) => op.textContent === "UPDATE"), all(".op").map((op) => op.textContent));
    filter.value = "";
    filter.dispatchEvent(new Event("change", { bubbles: true }));

    // Every statement opens, and is laid out without losing or changing anything.
    const bare = (text) => text.replace(/\s+/g, "");
    for (const statement of data.statements) {
      const button = () => one(`[data-open="${statement.fingerprint}"]`);
      button().click();
      const shown = one(".detail .code").textContent;
      expect("laid out as it is", bare(shown) === bare(statement.shape), [shown, statement.shape]);
      const sample = one(".detail .sample .code");
      expect("a sample is laid out as it is", !sample || bare(sample.textContent) === bare(statement.samples[0].text), [sample && sample.textContent, statement.samples[0] && statement.samples[0].text]);
      expect("open is said", button().getAttribute("aria-expanded") === "true", "");
      button().click();
    }
    expect("all closed again", all(".detail").length === 0, "");

    // Zooming by dragging, by keys, and back; the table is counted in the stretch that is seen.
    const stack = one(".stack");
    const box = stack.getBoundingClientRect();
    const point = (type, share) => stack.dispatchEvent(new PointerEvent(type, { clientX: box.left + 84 + share * (box.width - 92), clientY: box.top + 60, button: 0, bubbles: true }));
    const range = () => one(".range").textContent;
    const everything = range();
    const shownCalls = column("calls").join();
    point("pointerdown", 0.2);
    point("pointermove", 0.4);
    expect("what is under the cursor is told", !one("#tip").hidden && one("#tip").textContent.includes("calls"), one("#tip").textContent);
    point("pointerup", 0.4);
    expect("dragging zooms", range() !== everything, range());
    expect("the table follows", column("calls").join() !== shownCalls, shownCalls);
    expect("the address tells", location.hash.includes("from="), location.hash);
    stack.dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
    expect("a double click resets", range() === everything, range());
    stack.focus();
    for (let at = 0; at < 4; at += 1) press(stack, "ArrowRight");
    for (let at = 0; at < 6; at += 1) press(stack, "ArrowRight", { shiftKey: true });
    press(stack, "Enter");
    expect("keys zoom", range() !== everything, range());
    press(stack, "Escape");
    expect("Escape resets", range() === everything, range());
    one(".tools button[aria-label='Zoom in']").click();
    expect("a button zooms", range() !== everything, range());
    one("#unzoom").click();

    // Light and dark.
    const before = getComputedStyle(document.body).backgroundColor;
    one("#theme").click();
    expect("the theme changes", getComputedStyle(document.body).backgroundColor !== before, before);
  } catch (error) {
    outcome.failed.push(`${error.message} ${error.stack}`);
  }
  expect("no image, no frame, no script came out of a log", all("img, iframe, object, embed, main script, main a[href^=javascript]").length === 0, "");
  expect("nothing of a log ran", window.hacked === undefined, window.hacked);
  expect("the page met no trouble", one("#trouble").hidden, one("#trouble").textContent);
  outcome.statements = data.statements.length;
  outcome.charts = all(".plot svg").length;
  const node = document.createElement("pre");
  node.id = "outcome";
  node.textContent = JSON.stringify(outcome);
  document.body.append(node);
})();
