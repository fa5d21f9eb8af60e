// The table of the layers: a tree, the network first. It is what the drawings show, for the keyboard and for readers.
const MOST_FOUND = 500;

const tree = {
  open: new Set([0]),

  draw() {
    const table = tableOf([["layer"], ["kind"], ["output"], ["params", "number"], [chosen().unit, "number"], ["share", "number"]], []);
    table.setAttribute("role", "treegrid");
    table.setAttribute("aria-label", "layers");
    table.setAttribute("aria-multiselectable", true);
    const [shown, rest] = this.shown();
    table.tBodies[0].append(...shown.map((node) => this.row(node)));
    byId("tree").replaceChildren(table);
    byId("found").textContent = this.query() ? `${digits(shown.length + rest)} found${rest ? `, the first ${MOST_FOUND} shown` : ""}` : "";
    (table.querySelector("[aria-selected=true]") || table.tBodies[0].firstChild)?.setAttribute("tabindex", 0);
  },

  query: () => byId("find").value.trim().toLowerCase(),

  // The nodes whose parents are open, or those that match what is searched for.
  shown() {
    const query = this.query();
    if (query) {
      const found = inOrder.filter((node) => `${node.name} ${node.kind} ${node.source}`.toLowerCase().includes(query));
      return [found.slice(0, MOST_FOUND), Math.max(0, found.length - MOST_FOUND)];
    }
    return [inOrder.filter((node) => above(node).slice(1).every((around) => this.open.has(around.i))), 0];
  },

  row(node) {
    const searching = this.query();
    const made = keyed(el("tr"), node.i);
    made.tabIndex = -1;
    made.setAttribute("aria-level", searching ? 1 : node.depth + 1);
    const branches = node.kids.length && !searching;
    if (branches) made.setAttribute("aria-expanded", this.open.has(node.i));
    const name = el("td");
    name.style.paddingLeft = `${8 + (searching ? 0 : Math.min(node.depth, 20) * 13)}px`;
    name.append(el("span", "twist", branches ? (this.open.has(node.i) ? "▾" : "▸") : ""), cut(searching ? node.name : node.label));
    name.title = cut(node.name, TEXT);
    const kind = el("td", node.status === "free" ? "quiet" : "");
    const dot = el("span", "dot");
    dot.style.background = node.kids.length ? "transparent" : color(node.family);
    kind.append(dot, cut(what(node)));
    kind.title = cut([node.source, node.note].filter(Boolean).join(": "), TEXT);
    made.append(name, kind, el("td", "", node.output), el("td", "number", byId("metric").hidden ? "" : exact(node.sumParams)), el("td", "number", figureOf(node, node.sumCount)), el("td", "number", shareOf(node)));
    return made;
  },

  toggle(node, open = !this.open.has(node.i)) {
    if (open) this.open.add(node.i);
    else this.open.delete(node.i);
    this.draw();
  },

  selected(node) {
    const shut = above(node).slice(1).filter((around) => !this.open.has(around.i));
    for (const around of shut) this.open.add(around.i);
    if (shut.length) this.draw();
  },

  lineOf: (i) => byId("tree").querySelector(`[data-i="${i}"]`),

  start() {
    const pick = (line, clicked) => {
      const node = nodes[line.dataset.i];
      if (clicked && node.kids.length && !this.query()) this.toggle(node);
      select(node.i, true, this.lineOf(node.i));
      walk(this.lineOf(node.i));
    };
    const walk = walks(byId("tree"), pick, (line) => {
      const node = nodes[line.dataset.i];
      const open = this.open.has(node.i);
      return {
        ArrowRight: () => {
          if (node.kids.length && !open) this.toggle(node, true);
          walk(this.lineOf(node.i));
        },
        ArrowLeft: () => {
          const closes = node.kids.length && open;
          if (closes) this.toggle(node, false);
          walk(this.lineOf(closes ? node.i : node.parent));
        },
      };
    });
    on("find", "input", () => this.draw());
  },
};
