// The data flow: boxes with name, kind, figure and share; blocks open and close.
const flow = {
  zoom: 0,

  draw() {
    const box = byId("flow");
    flows.cut = 0;
    const found = layout(root());
    const hints = [flows.cut ? `cut: the first ${MOST_BOXES} boxes of a block, ${digits(flows.cut)} more are in the table` : "click or Enter opens"];
    if (net.cut) hints.push(`${digits(net.cut[2])} calls are left out: no box of their own`);
    byId("flow-hint").textContent = hints.join("; ");
    const svg = draw("svg", { viewBox: `0 0 ${found.w} ${found.h}`, role: "group", "aria-label": cut(`${net.source}: data flow`), tabindex: 0 });
    const marker = draw("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 6, markerHeight: 6, orient: "auto" });
    marker.append(draw("path", { d: "M0,0.8 L7,4 L0,7.2", fill: "none", stroke: "var(--quiet)" }));
    svg.append(marker);
    this.paint(found, svg, 0, 0);
    box.replaceChildren(svg);
    this.size = found;
    if (this.zoom) this.scale(this.zoom);
    else this.fit(false);
    if (state.selected >= 0) this.card(nodes[state.selected]);
  },

  paint(found, into, dx, dy) {
    for (const points of found.edges) into.append(draw("path", { class: "edge", d: curve(points, dx, dy), "marker-end": "url(#arrow)" }));
    for (const box of found.boxes) {
      const [x, y] = [box.x + dx, box.y + dy];
      into.append(box.port ? draw("circle", { cx: x + 4.5, cy: y + 4.5, r: 4, class: "frame" }) : this.box(box, x, y));
      if (box.inner) this.paint(box.inner, into, x + (box.w - box.inner.w) / 2, y + 24);
    }
  },

  box(box, x, y) {
    const { node, members } = box;
    const group = keyed(draw("g", { class: box.inner ? "group" : "node", tabindex: 0, role: "button" }), members.map((each) => each.i).join(" "));
    for (const by of members.length > 1 ? [8, 4, 0] : [0]) group.append(rect(x + by, y + by, box.w, box.h, { class: "frame", rx: 7 }));
    const value = boxSum(box);
    const unknown = node.status === "unknown" && !value.n;
    const figure = unknown ? "unknown" : value.n ? `${bounded(node)}${briefly(value)}` : "";
    const share = value.n ? percent(value, root().value) : "";
    if (box.inner) {
      const sum = [figure, share].filter(Boolean).join(" · ");
      group.append(...words(letters(x + 11, y + 17, fitted(`▾ ${boxLabel(box)}`, box.w - 28 - widthOf(sum), true), "strong"), letters(x + box.w - 9, y + 17, sum, "quiet end")));
    } else {
      this.face(group, box, x, y, figure, share);
    }
    if (node.kids.length) group.setAttribute("aria-expanded", Boolean(box.inner));
    named(group, boxLabel(box), what(node), figure && unit());
    group.append(draw("title", {}, `${node.name}\n${node.source}\n${node.input} → ${node.output}`));
    acts(group, () => this.toggle(node));
    return group;
  },

  face(group, box, x, y, figure, share) {
    const { node } = box;
    const [left, right, room, length] = [x + 11, x + box.w - 8, box.w - 26, box.w - 19];
    const part = root().length ? Math.max(0, Math.min(1, double(boxSum(box)) / root().length)) : 0;
    const fill = color(node.main);
    group.append(...words(
      rect(x, y, 5, box.h, { rx: 2.5, fill }),
      rect(left, y + box.h - 7, length, 3, { rx: 1.5, fill: "var(--band)" }),
      rect(left, y + box.h - 7, part && Math.max(length * part, 1), 3, { rx: 1.5, fill }),
      letters(left, y + 16, fitted(boxLabel(box), room - widthOf(figure), true), "strong"),
      letters(right, y + 16, figure, `${node.status === "unknown" ? "alarm" : "quiet"} end`),
      letters(left, y + 30, fitted(what(node) + (node.kids.length ? " ▸" : ""), room - widthOf(share)), "quiet"),
      letters(right, y + 30, share, "quiet end"),
    ));
  },

  toggle(node) {
    if (node.kids.length && !flows.open.delete(node.i)) flows.open.add(node.i);
    select(node.i, false, byId("flow"));
    if (node.kids.length) this.draw();
    byId("flow").querySelector(`[data-i~="${node.i}"]`)?.focus();
  },

  selected(node, reveal) {
    const shut = reveal ? above(node).slice(1).filter((around) => !flows.open.has(around.i)) : [];
    for (const around of shut) flows.open.add(around.i);
    if (shut.length) this.draw();
    this.card(node);
  },

  card(node) {
    const list = el("dl");
    const figures = net.conventions.map((one, k) => [one.name, figureOf(node, totalOf(node, k), one.unit)]);
    for (const [word, text] of [
      ["kind", `${node.kind} ${node.attributes}`.trim()], ["source", node.source], ["input", node.input], ["output", node.output],
      ...figures, ["params", byId("metric").hidden ? "" : exact(node.sumParams)], ["share", shareOf(node)], ["bound by", net.bounds[node.i]], ["note", node.note],
    ]) if (text) list.append(el("dt", "", word), el("dd", "", text));
    byId("card").replaceChildren(el("b", "", cut(node.name)), list);
    show("card");
  },

  // Draws at a scale; at first the window is as high as the drawing needs.
  scale(zoom) {
    const box = byId("flow");
    if (!this.zoom) box.style.height = `${Math.min(640, Math.max(280, this.size.h * zoom + 20))}px`;
    this.zoom = Math.min(4, Math.max(0.02, zoom));
    box.firstChild.setAttribute("width", this.size.w * this.zoom);
    box.firstChild.setAttribute("height", this.size.h * this.zoom);
  },

  // The whole width, as far as it can be read; the whole height too where asked for.
  fit(whole) {
    const box = byId("flow");
    const [across, down] = [(box.clientWidth - 4) / this.size.w, (box.clientHeight - 4) / this.size.h];
    this.scale(whole ? Math.min(across, down, 1.15) : Math.max(0.4, Math.min(across, 1.15)));
    box.scrollLeft = (box.scrollWidth - box.clientWidth) / 2;
  },

  start() {
    sortEdges();
    const by = (factor) => this.scale(this.zoom * factor);
    byId("flow").addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      by(Math.exp(-event.deltaY * 0.005));
    }, { passive: false });
    on("flow", "keydown", (event) => {
      const factor = { "+": 1.25, "=": 1.25, "-": 0.8 }[event.key];
      if (factor) by(factor);
    });
    on("larger", "click", () => by(1.25));
    on("smaller", "click", () => by(0.8));
    on("fit", "click", () => this.fit(true));
    on("shut", "click", () => {
      flows.open = new Set([0]);
      this.zoom = 0;
      this.draw();
    });
  },
};

function curve(points, dx, dy) {
  return points.map(({ x, y }, k) => {
    if (!k) return `M${x + dx},${y + dy}`;
    const last = points[k - 1];
    const middle = (y + last.y) / 2 + dy;
    return `C${last.x + dx},${middle} ${x + dx},${middle} ${x + dx},${y + dy}`;
  }).join("");
}

// A node's sum under any of the conventions; the chosen one's is in the node.
function totalOf(node, convention) {
  if (convention === state.convention) return node.sumCount;
  return node.kids.map((kid) => totalOf(kid, convention)).reduce(add, node.counts[convention](state.symbols));
}
