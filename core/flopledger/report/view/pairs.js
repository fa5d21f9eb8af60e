// Two networks side by side: the paired layers in order, one above the line and the other below it, and why they differ.
const STATUS = { same: "same", changed: "changed", only_a: "only in a", only_b: "only in b" };
const FILL = { same: "move", changed: "linear", only_a: "attention", only_b: "conv" };
const MOST_PAIRS = 2000;

function compare(found) {
  const heading = el("h2", "", `${found.names[0]} above, ${found.names[1]} below`);
  const box = el("div", "drawing");
  const section = el("section");
  const [figures, reasons, list] = [el("div"), el("div"), el("div")];
  section.append(el("p", "quiet", found.verdict), figures, heading, box, el("h2", "", "What differs"), reasons);
  section.append(el("h2", "", "Layers"), list);
  byId("pairs").append(section);
  const paint = () => box.replaceChildren(mirrored(found, box.clientWidth - 2));
  const renew = () => {
    paint();
    figures.replaceChildren(totalsOf(found));
    reasons.replaceChildren(reasonsOf(found));
    list.replaceChildren(listOf(found));
  };
  views.push({ draw: renew, resized: paint });
  renew();
  legendOf(found, heading);
  saves(heading, () => box, "comparison");
}

const worth = (written) => compiled(written)(state.symbols);
const macsOf = (item) => (item ? worth(item.macs) : ZERO);

function workOf(item) {
  const macs = macsOf(item);
  if (!item?.unknown) return exact(macs);
  return macs.n ? `at least ${exact(macs)}` : "unknown";
}

function totalsOf(found) {
  const cell = ([words, written, difference]) => [written === null ? words : words + (difference ? signedText : exact)(worth(written)), "number"];
  return tableOf([[""], ["a", "number"], ["b", "number"], ["b - a", "number"]], found.figures.map(([name, ...cells]) => [[name], ...cells.map(cell)]));
}

function legendOf(found, heading) {
  const counts = new Map();
  for (const pair of found.rows) counts.set(pair.status, (counts.get(pair.status) || 0) + 1);
  for (const [status, count] of counts) {
    const item = el("span", "hint");
    const patch = el("span", "dot");
    patch.style.background = color(FILL[status]);
    item.append(patch, `${STATUS[status]} ${count}`);
    heading.append(item);
  }
}

// Bars of multiply-accumulates; layers without any are a tick that shows their status.
function mirrored(found, width) {
  const pairs = found.rows.slice(0, MOST_PAIRS);
  const values = pairs.map((pair) => [pair.a, pair.b].map((item) => double(macsOf(item))));
  const top = Math.max(...values.flat(), 1);
  const svg = drawing(width, 2 * 100 + 26, `multiply-accumulates of the layers of ${found.names.join(" and ")}`);
  const step = (width - MARGIN - 8) / Math.max(pairs.length, 1);
  svg.append(draw("text", { x: 8, y: 22, class: "strong" }, "a"), draw("text", { x: 8, y: 36, class: "quiet" }, `up to ${shortDouble(top)} MAC`));
  svg.append(draw("text", { x: 8, y: 200, class: "strong" }, "b"));
  pairs.forEach((pair, k) => {
    const group = draw("g", { "data-status": pair.status });
    values[k].forEach((value, side) => {
      const item = side ? pair.b : pair.a;
      if (!item) return;
      const high = Math.max((value / top) * 92, 3);
      group.append(draw("rect", { x: MARGIN + k * step, y: side ? 102 : 100 - high, width: Math.max(step - 0.8, 0.6), height: high, fill: color(FILL[pair.status]) }));
      if (item.unknown) group.append(draw("text", { x: MARGIN + (k + 0.5) * step, y: side ? 122 : 90, "text-anchor": "middle", class: "alarm strong" }, "?"));
    });
    const sides = [pair.a, pair.b].map((item) => (item ? `${item.path || "(network)"}: ${workOf(item)} MAC` : "-"));
    group.append(draw("title", {}, `${STATUS[pair.status]}\n${sides.join("\n")}\n${pair.why}`));
    svg.append(group);
  });
  const more = found.rows.length - pairs.length;
  if (more > 0) svg.append(draw("text", { x: MARGIN, y: 222, class: "quiet" }, `the first ${MOST_PAIRS} pairs; ${more} more are not drawn`));
  return svg;
}

function changeOf(group) {
  const macs = worth(group.macs);
  if (!group.unknown) return signedText(macs);
  return macs.n ? `${signedText(macs)} and unknown` : "unknown";
}

function reasonsOf(found) {
  const rows = found.summary.map((group) => [
    [`${group.times} ×`, "number"], [changeOf(group), "number"], [signedText(worth(group.params)), "number"], [group.reason],
  ]);
  return tableOf([["times", "number"], ["MAC, b - a", "number"], ["params, b - a", "number"], ["reason"]], rows);
}

function listOf(found) {
  const box = el("div", "drawing list");
  const rows = found.rows.slice(0, MOST_PAIRS).map((pair) => [
    [STATUS[pair.status]], [pair.a?.path ?? ""], [pair.b?.path ?? ""],
    [workOf(pair.a), "number"], [workOf(pair.b), "number"], [pair.why],
  ]);
  box.append(tableOf([["status"], ["a"], ["b"], ["MAC of a", "number"], ["MAC of b", "number"], ["why"]], rows));
  return box;
}
