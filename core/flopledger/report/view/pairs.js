// Two networks side by side: the paired layers in order, one above the line and the other below it, and why they differ.
const STATUS = { same: "same", changed: "changed", only_a: "only in a", only_b: "only in b" };
const FILL = { same: "move", changed: "linear", only_a: "attention", only_b: "conv" };
const MOST_PAIRS = 2000;
const EDGE = 96;

function compare(found) {
  found.names = found.names.map((name) => cut(name));
  const heading = el("h2", "", `${found.names[0]} above, ${found.names[1]} below`);
  const box = el("div", "drawing");
  const section = el("section");
  const [verdict, figures, legend] = [el("p", "quiet"), el("div"), el("span", "legend")];
  const [reasons, list] = [el("div", "drawing list"), el("div", "drawing list")];
  heading.append(legend);
  section.append(verdict, figures, heading, box, el("h2", "", "What differs"), reasons);
  section.append(el("h2", "", "Layers"), list);
  byId("pairs").append(section);
  found.summary.forEach((group, k) => group.pairs.forEach((pair) => link(`g${k}`, `p${pair}`)));
  for (const table of [reasons, list]) walks(table, (line) => light(line.dataset.i, line));
  const paint = () => box.replaceChildren(mirrored(found, box.clientWidth - 2));
  const renew = () => {
    paint();
    const count = found.rows.filter(settled).length;
    verdict.textContent = found.verdict + (count ? ` At these sizes ${digits(count)} of the changed are the same.` : "");
    legend.replaceChildren(...legendOf(found));
    figures.replaceChildren(totalsOf(found));
    reasons.replaceChildren(reasonsOf(found));
    list.replaceChildren(listOf(found));
  };
  views.push({ draw: renew, resized: paint });
  renew();
  saves(heading, () => box, "comparison");
}

// Layers that differ in formulas alone are the same where each of the differences is 0.
const settled = (pair) => Boolean(pair.zeros?.map(worth).every((value) => !value.formula && value.n === 0n));
const statusOf = (pair) => (settled(pair) ? "same" : pair.status);
const whyOf = (pair) => (settled(pair) ? "" : phrase(pair.why));
const macsOf = (item) => (item ? worth(item.macs) : ZERO);

function workOf(item) {
  if (!item) return "";
  const macs = macsOf(item);
  if (!item.unknown) return exact(macs);
  return macs.n ? `at least ${exact(macs)}` : "unknown";
}

function totalsOf(found) {
  const cell = ([words, written, difference]) => [written === null ? words : words + (difference ? signedText : exact)(worth(written)), "number"];
  return tableOf([["total"], ["a", "number"], ["b", "number"], ["b - a", "number"]], found.figures.map(([name, ...cells]) => [[name], ...cells.map(cell)]));
}

function legendOf(found) {
  const counts = new Map();
  for (const status of found.rows.map(statusOf)) counts.set(status, (counts.get(status) || 0) + 1);
  return [...counts].map(([status, count]) => legendItem(FILL[status], `${STATUS[status]} ${count}`));
}

// Bars of multiply-accumulates; layers without any are a tick that shows their status.
function mirrored(found, width) {
  const pairs = found.rows.slice(0, MOST_PAIRS);
  const values = pairs.map((pair) => [pair.a, pair.b].map((item) => double(macsOf(item))));
  const top = Math.max(...values.flat(), 1);
  const svg = drawing(width, 2 * 100 + 26, `multiply-accumulates of the layers of ${found.names.join(" and ")}`);
  const step = (width - EDGE - 8) / Math.max(pairs.length, 1);
  svg.append(letters(8, 22, "a", "strong"), letters(8, 36, `up to ${shortDouble(top)} MAC`, "quiet"));
  svg.append(letters(8, 200, "b", "strong"));
  pairs.forEach((pair, k) => {
    const status = statusOf(pair);
    const group = keyed(draw("g", { "data-status": status, class: "bar" }), `p${k}`);
    group.append(rect(EDGE + k * step, 0, Math.max(step, 1), 202, { class: "hit" }));
    group.addEventListener("click", () => light(`p${k}`, group));
    values[k].forEach((value, side) => {
      const item = side ? pair.b : pair.a;
      if (!item) return;
      const high = Math.max((value / top) * 92, 3);
      group.append(rect(EDGE + k * step, side ? 102 : 100 - high, Math.max(step - 0.8, 0.6), high, { fill: color(FILL[status]) }));
      if (item.unknown) group.append(letters(EDGE + (k + 0.5) * step, side ? 122 : 90, "?", "alarm strong middle"));
    });
    const sides = [pair.a, pair.b].map((item) => (item ? `${item.path || "(network)"}: ${workOf(item)} MAC` : "-"));
    group.append(draw("title", {}, `${STATUS[status]}\n${sides.join("\n")}\n${whyOf(pair)}`));
    svg.append(group);
  });
  const more = found.rows.length - pairs.length;
  if (more > 0) svg.append(letters(EDGE, 222, `the first ${MOST_PAIRS} pairs; ${more} more are not drawn`, "quiet"));
  return svg;
}

function changeOf(group) {
  const macs = worth(group.macs);
  if (!group.unknown) return signedText(macs);
  return macs.n ? `${signedText(macs)} and unknown` : "unknown";
}

function reasonsOf(found) {
  const times = (group) => group.times - group.pairs.filter((pair) => settled(found.rows[pair])).length;
  const groups = [...found.summary.entries()].filter(([, group]) => times(group));
  const rows = groups.map(([, group]) => [
    [`${times(group)} ×`, "number"], [changeOf(group), "number"], [signedText(worth(group.params)), "number"], [phrase(group.reason)],
  ]);
  return tableOf([["times", "number"], ["MAC, b - a", "number"], ["params, b - a", "number"], ["reason"]], rows, groups.map(([k]) => `g${k}`));
}

function listOf(found) {
  const rows = found.rows.slice(0, MOST_PAIRS).map((pair) => [
    [STATUS[statusOf(pair)]], [pair.a?.path ?? ""], [pair.b?.path ?? ""],
    [workOf(pair.a), "number"], [workOf(pair.b), "number"], [whyOf(pair)],
  ]);
  return tableOf([["status"], ["a"], ["b"], ["MAC of a", "number"], ["MAC of b", "number"], ["why"]], rows, rows.map((_, k) => `p${k}`));
}
