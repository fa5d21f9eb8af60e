// The module tree as an icicle: the width of a cell is its share, the rows are levels, the order is that of the
// calls. An unknown call has no share, so each gets a few points of width of its own and cannot be overlooked; where
// nothing is counted, all the width.
const CELL = 25;
const UNKNOWN_WIDTH = 8;
const LEVELS = 14;

const icicle = {
  draw() {
    const box = byId("icicle");
    const width = box.clientWidth - 2;
    const focus = nodes[state.focus];
    const marked = focus.length ? Math.min(focus.unknown * UNKNOWN_WIDTH, width / 2) : width;
    const cells = [];
    const scale = focus.length ? (width - marked) / focus.length : 0;
    const room = (node) => node.length * scale + (focus.unknown ? (node.unknown * marked) / focus.unknown : 0);
    const put = (node, x, level) => {
      const w = node === focus ? width : room(node);
      if (w < 0.7 || level > LEVELS) return;
      cells.push([node, x, w, level]);
      let at = x;
      for (const kid of node.kids) {
        put(kid, at, level + 1);
        at += room(kid);
      }
    };
    put(focus, 0, 0);
    const levels = 1 + Math.max(0, ...cells.map((cell) => cell[3]));
    const svg = drawing(width, levels * CELL, `${net.source}: share of the ${unit()} of each module`, "group");
    for (const cell of cells) svg.append(this.cell(...cell));
    box.replaceChildren(svg);
    this.crumb(focus);
    this.legend();
  },

  cell(node, x, w, level) {
    const leaf = !node.kids.length;
    const group = keyed(draw("g", {
      class: "cell", role: "button", tabindex: node.i === state.selected || (state.selected < 0 && level === 0) ? 0 : -1,
    }), node.i);
    const family = node.main;
    const y = level * CELL;
    group.append(rect(x, y, Math.max(w, 0.7), CELL, { rx: w > 8 ? 3 : 0, fill: color(family), "fill-opacity": leaf ? 1 : 0.24 }));
    const text = this.label(node, w - 8);
    if (text) group.append(letters(x + 5, y + 16.5, text, "", { fill: leaf ? onColor(family) : "var(--text)" }));
    named(group, node.name, valueOf(node, briefly), shareOf(node));
    group.append(draw("title", {}, `${node.name}\n${what(node)}\n${valueOf(node, exact)} ${shareOf(node)}`));
    acts(group, () => this.zoom(node));
    group.addEventListener("keydown", (event) => this.move(event, node));
    return group;
  },

  // The last part of the path, with as much beside it as there is room for; a number says little without its class.
  label(node, room) {
    if (node.unknown && !node.kids.length) return fitted("? " + node.source, room) || (room > 0 ? "?" : "");
    const name = /^[0-9]+$/.test(node.label) ? `${node.label} ${what(node)}` : node.label;
    const full = `${name}   ${bounded(node)}${briefly(node.value)} · ${shareOf(node)}`;
    const brief = node.kids.length ? [node.label] : [what(node), node.kind, name];
    return [full, name, ...brief].find((text) => widthOf(text) <= room) || fitted(name, room);
  },

  zoom(node) {
    if (node.kids.length) state.focus = node.i === state.focus ? Math.max(node.parent, 0) : node.i;
    select(node.i);
    if (node.kids.length) this.draw();
    this.focus(node);
  },

  focus(node) {
    byId("icicle").querySelector(`[data-i="${node.i}"]`)?.focus();
  },

  move(event, node) {
    const around = nodes[node.parent];
    const at = around ? around.kids.indexOf(node) : 0;
    const next = {
      ArrowUp: around, ArrowDown: node.kids[0], ArrowRight: around?.kids[at + 1], ArrowLeft: around?.kids[at - 1],
    }[event.key];
    if (!next || !byId("icicle").querySelector(`[data-i="${next.i}"]`)) return;
    event.preventDefault();
    select(next.i);
    this.focus(next);
  },

  selected(node) {
    const box = byId("icicle");
    const at = (i) => box.querySelector(`[data-i="${i}"]`);
    for (const cell of box.querySelectorAll("[tabindex='0']")) cell.setAttribute("tabindex", -1);
    (at(node.i) ?? at(state.focus))?.setAttribute("tabindex", 0);
  },

  crumb(focus) {
    const crumb = byId("crumb");
    crumb.replaceChildren();
    if (!focus.i) return;
    for (const node of above(focus).reverse()) {
      const button = el("button", "", node.label);
      button.addEventListener("click", () => this.zoom(node.i === state.focus ? nodes[Math.max(node.parent, 0)] : node));
      crumb.append(button, " ");
    }
  },

  legend() {
    const used = new Set(nodes.filter((node) => bars.matters(node)).map((node) => node.family));
    byId("legend").replaceChildren(...Object.entries(FAMILIES).filter(([family]) => used.has(family)).map((each) => legendItem(...each)));
  },
};

const FAMILIES = {
  conv: "convolution", linear: "linear", attention: "attention, products", recurrent: "recurrent", norm: "normalisation",
  activation: "activation", pool: "pooling", move: "movement", other: "other", unknown: "unknown",
};
