// The layers in order of execution: operations above the line, parameters below it, banded by block.
const HALF = 76;
const MARGIN = 96;

const bars = {
  draw() {
    const box = byId("bars");
    const width = box.clientWidth - 2;
    const leaves = inOrder.filter((node) => this.matters(node));
    const svg = drawing(width, 2 * HALF + 24, "operations above, parameters below, of each layer in order of execution");
    const step = (width - MARGIN - 8) / Math.max(leaves.length, 1);
    const figures = [leaves.map((node) => double(node.ownCount)), leaves.map((node) => double(node.ownParams))];
    const scales = figures.map((values) => this.scale(values));
    this.bands(svg, leaves, step);
    scales.forEach(({ top, cut }, k) => {
      const name = k ? "params" : chosen().unit;
      svg.append(letters(8, k ? HALF + 38 : 22, name, "strong"));
      svg.append(letters(8, k ? HALF + 52 : 36, cut ? "cut at" : top ? "up to" : "none", "quiet"));
      if (top) svg.append(letters(8, k ? HALF + 66 : 50, k ? shortDouble(top) : briefly(rounded(top)), "quiet"));
    });
    leaves.forEach((node, k) => svg.append(this.bar(node, k, step, figures, scales)));
    svg.append(draw("line", { x1: MARGIN, x2: width - 8, y1: HALF + 0.5, y2: HALF + 0.5, stroke: "var(--line)", "pointer-events": "none" }));
    box.replaceChildren(svg);
    byId("bars-hint").textContent = scales.some((scale) => scale.cut) ? "bars with // are cut: the largest is left out of the scale" : "";
  },

  matters: (node) => node.status === "unknown" || node.ownCount.n !== 0n || node.ownParams.n !== 0n,

  // The largest figure, or the second largest where one layer would flatten all the others.
  scale(values) {
    const sorted = [...values].sort((a, b) => b - a);
    const cut = state.without && sorted.length > 1 && sorted[1] > 0 && sorted[1] < sorted[0];
    return { top: (cut ? sorted[1] : sorted[0]) || 0, cut };
  },

  bands(svg, leaves, step) {
    const level = this.level(leaves);
    const block = (node) => above(node).reverse()[Math.min(level, node.depth)];
    for (let from = 0, odd = false; from < leaves.length; odd = !odd) {
      let to = from;
      while (to < leaves.length && block(leaves[to]) === block(leaves[from])) to += 1;
      const [x, w] = [MARGIN + from * step, (to - from) * step];
      if (odd) svg.append(rect(x, 0, w, 2 * HALF + 24, { fill: "var(--band)" }));
      const text = fitted(block(leaves[from]).label, w - 5);
      if (text) svg.append(letters(x + 3, 2 * HALF + 18, text, "quiet"));
      from = to;
    }
  },

  // The first level that has several blocks to tell apart.
  level(leaves) {
    for (let level = 1; level < 6; level += 1) {
      const blocks = new Set(leaves.map((node) => above(node).reverse()[Math.min(level, node.depth)]));
      if (blocks.size >= 6) return level;
    }
    return 1;
  },

  bar(node, k, step, figures, scales) {
    const group = keyed(draw("g", { class: "bar" }), node.i);
    const x = MARGIN + k * step;
    group.append(rect(x, 0, Math.max(step, 1), 2 * HALF, { class: "hit" }));
    const w = Math.max(step - 0.8, 0.5);
    scales.forEach(({ top }, which) => {
      const value = figures[which][k];
      const high = value > 0 ? Math.max(Math.min((value / top) * (HALF - 10), HALF - 4), 0.8) : 0;
      group.append(rect(x, which ? HALF + 6 : HALF - high, w, high, { fill: color(node.kids.length ? node.main : node.family) }));
      if (value > top) group.append(letters(x + w / 2, which ? HALF + 2 + high : HALF - high + 12, "//", "strong middle"));
    });
    if (node.status === "unknown") {
      group.append(draw("line", { x1: x + w / 2, x2: x + w / 2, y1: 16, y2: HALF, class: "hatch", "stroke-dasharray": "3 3" }));
      group.append(letters(x + w / 2, 12, "?", "alarm strong middle"));
    }
    group.append(draw("title", {}, `${node.name}\n${what(node)}\n${figureOf(node, node.ownCount, chosen().unit)}, ${exact(node.ownParams)} params\n${node.output}`));
    group.addEventListener("click", () => select(node.i, true, group));
    return group;
  },
};
