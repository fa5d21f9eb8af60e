// Why two figures differ: a waterfall from the one down or up to the other, and the same as a table.
const STEP = 24;

function explain(found) {
  const section = el("section");
  const names = [found.a, found.b].map((side) => side.name);
  const heading = el("h2", "", `Why ${names[0]} and ${names[1]} differ`);
  const box = el("div", "drawing");
  const details = el("details");
  const table = el("div");
  details.append(el("summary", "", "as a table, with the layers"), table);
  section.append(heading, box, el("p", "quiet", found.closing), details);
  byId("causes").append(section);
  const paint = () => box.replaceChildren(waterfall(found, names, box.clientWidth - 2));
  const renew = () => {
    paint();
    table.replaceChildren(layersOf(found));
  };
  views.push({ draw: renew, resized: paint });
  renew();
  saves(heading, () => box, `${names.join("-to-")}`);
}

function waterfall(found, names, width) {
  const value = (written) => compiled(written)(state.symbols);
  const steps = [{ name: names[0], to: value(found.a.figure), bound: found.a.bound, end: true }];
  let running = steps[0].to;
  for (const cause of found.causes) {
    const from = running;
    running = add(running, value(cause.count));
    steps.push({ name: cause.cause, from, to: running, change: value(cause.count) });
  }
  steps.push({ name: names[1], to: value(found.b.figure), bound: found.b.bound, end: true });
  const all = steps.flatMap((step) => [step.to, step.from || step.to]).map(double);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  // Causes of a thousandth would be invisible beside the whole, so the axis starts near the smaller figure.
  const base = low > 0 && high - low < high / 2 ? low - (high - low || high) * 0.12 : Math.min(low, 0);
  const left = Math.min(540, width * 0.44);
  const place = (x) => left + ((width - left - 130) * (x - base)) / (high - base || 1);
  const svg = drawing(width, steps.length * STEP + 30, `from ${names[0]} to ${names[1]}, cause by cause`);
  steps.forEach((step, k) => svg.append(...stepOf(step, 6 + k * STEP, left, place, steps[k + 1])));
  const note = base > 0 ? `the axis is cut: it starts at ${short(ratio(BigInt(Math.round(base))))}` : "the axis starts at 0";
  svg.append(draw("text", { x: left, y: steps.length * STEP + 22, class: "quiet" }, note));
  if (base > 0) svg.append(draw("text", { x: left - 3, y: 22, class: "strong", "text-anchor": "end" }, "//"));
  return svg;
}

function stepOf(step, y, left, place, next) {
  const ends = step.end ? [left, place(double(step.to))] : [step.from, step.to].map((x) => place(double(x)));
  const [x0, x1] = [Math.min(...ends), Math.max(...ends)];
  const fill = step.end ? "var(--conv)" : step.change.n < 0n ? "var(--minus)" : "var(--plus)";
  const text = step.end ? step.bound + exact(step.to) : signedText(step.change);
  const made = [];
  if (next) made.push(draw("line", { x1: place(double(step.to)), x2: place(double(step.to)), y1: y + 4, y2: y + STEP + 20, stroke: "var(--line)" }));
  made.push(draw("rect", { x: x0, y: y + 4, width: Math.max(x1 - x0, 1.5), height: STEP - 8, rx: 2, fill }));
  made.push(draw("text", { x: x1 + 6, y: y + 16, class: step.end ? "strong" : "quiet" }, text));
  const label = draw("text", { x: 12, y: y + 16, class: step.end ? "strong" : "" }, fitted(step.name, left - 34, step.end));
  label.append(draw("title", {}, step.name));
  made.push(label);
  return made;
}

function layersOf(found) {
  const value = (written) => compiled(written)(state.symbols);
  const rows = found.causes.flatMap((cause) => [
    [[signedText(value(cause.count)), "number strong"], [cause.cause, "strong"]],
    ...cause.layers.map(([layer, count]) => [[signedText(value(count)), "number"], [nodes[layer]?.name ?? (layer || "(network)")]]),
    ...(cause.more ? [[["", "number"], [`and ${cause.more} more layers`]]] : []),
  ]);
  return tableOf([["change", "number"], ["why, and where"]], rows);
}
