// Why two figures differ: a waterfall from the one down or up to the other, and the same as a table with the layers.
const STEP = 24;
const layerKeys = new Map();

// The key of a layer: its row, or a number of its own where the page has none.
function keyOf(layer) {
  if (nodes[layer]) return String(layer);
  if (!layerKeys.has(layer)) layerKeys.set(layer, `l${layerKeys.size}`);
  return layerKeys.get(layer);
}

function explain(found, which) {
  const section = el("section");
  const names = [found.a, found.b].map((side) => cut(side.name));
  const heading = el("h2", "", `Why ${names[0]} and ${names[1]} differ`);
  const box = el("div", "drawing");
  const closing = el("p", "quiet");
  const details = el("details");
  const table = el("div", "drawing list");
  details.append(el("summary", "", "as a table, with the layers"), table);
  section.append(heading, box, closing, details);
  byId("causes").append(section);
  found.causes.forEach((cause, k) => {
    cause.key = `c${which}.${k}`;
    const written = data.layers[cause.layers];
    cause.layers = written.flatMap((layer, at) => (at % 2 ? [] : [[layer, figureAt(written[at + 1])]]));
    for (const [layer] of cause.layers) link(cause.key, keyOf(layer));
  });
  const pick = (key, used) => {
    details.open = true;
    const layer = key in nodes ? key : found.causes.find((cause) => cause.key === key)?.layers[0]?.[0];
    if (nodes[layer]) select(layer, true, used);
    light(key, used);
  };
  const paint = () => box.replaceChildren(waterfall(found, names, box.clientWidth - 2, pick));
  const renew = () => {
    paint();
    closing.textContent = found.closing.join(signedText(worth(found.gap)));
    table.replaceChildren(layersOf(found));
  };
  views.push({ draw: renew, resized: paint });
  renew();
  walks(table, (line) => pick(line.dataset.i, line));
  saves(heading, () => box, `${names.join("-to-")}`);
}

function waterfall(found, names, width, pick) {
  const steps = [{ name: names[0], to: worth(found.a.figure), bound: found.a.bound, end: true }];
  let running = steps[0].to;
  for (const cause of found.causes) {
    const from = running;
    running = add(running, worth(cause.count));
    steps.push({ name: cause.cause, from, to: running, change: worth(cause.count), key: cause.key });
  }
  steps.push({ name: names[1], to: worth(found.b.figure), bound: found.b.bound, end: true });
  const all = steps.flatMap((step) => [step.to, step.from || step.to]).map(double);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  // Causes of a thousandth would be invisible beside the whole, so the axis starts near the smaller figure.
  const base = low > 0 && low < high && high - low < high / 2 ? low - (high - low) * 0.12 : Math.min(low, 0);
  const left = Math.min(540, width * 0.44);
  const place = (x) => left + ((width - left - 130) * (x - base)) / (high - base || 1);
  const svg = drawing(width, steps.length * STEP + 30, `from ${names[0]} to ${names[1]}, cause by cause`, "group");
  steps.forEach((step, k) => svg.append(stepOf(step, 6 + k * STEP, { width, left, place, next: steps[k + 1], pick })));
  const note = base > 0 ? `the axis is cut: it starts at ${shortDouble(base)}` : "the axis starts at 0";
  svg.append(letters(left, steps.length * STEP + 22, note, "quiet"));
  if (base > 0) svg.append(letters(left - 3, 22, "//", "strong end"));
  return svg;
}

function stepOf(step, y, { width, left, place, next, pick }) {
  const ends = step.end ? [left, place(double(step.to))] : [step.from, step.to].map((x) => place(double(x)));
  const [x0, x1] = [Math.min(...ends), Math.max(...ends)];
  const fill = step.end ? "var(--conv)" : step.change.n < 0n ? "var(--minus)" : "var(--plus)";
  const text = step.end ? step.bound + exact(step.to) : signedText(step.change);
  const operated = step.key && { tabindex: 0, role: "button" };
  const made = draw("g", { class: "bar", ...operated });
  made.append(rect(1, y + 1, width - 2, STEP - 2, { class: "hit" }));
  if (next) made.append(draw("line", { x1: place(double(step.to)), x2: place(double(step.to)), y1: y + 4, y2: y + STEP + 20, stroke: "var(--line)" }));
  made.append(rect(x0, y + 4, Math.max(x1 - x0, 1.5), STEP - 8, { rx: 2, fill }));
  made.append(...words(letters(x1 + 6, y + 16, text, step.end ? "strong" : "quiet")));
  const label = letters(12, y + 16, fitted(step.name, left - 34, step.end), step.end ? "strong" : "");
  label.append(draw("title", {}, step.name));
  made.append(label);
  if (!step.key) return made;
  named(made, step.name);
  acts(made, () => pick(step.key, made));
  return keyed(made, step.key);
}

function layersOf(found) {
  const rows = found.causes.flatMap((cause) => [
    [cause.key, [signedText(worth(cause.count)), "number strong"], [cause.cause, "strong"]],
    ...cause.layers.map(([layer, count]) => [keyOf(layer), [signedText(count(state.symbols)), "number"], [nodes[layer]?.name ?? (layer || "(network)")]]),
    ...(cause.more ? [[cause.key, ["", "number"], [`and ${cause.more} more layers`]]] : []),
  ]);
  return tableOf([["change", "number"], ["why, and where"]], rows.map(([, ...cells]) => cells), rows.map(([key]) => key));
}
