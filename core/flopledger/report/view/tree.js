// The table of the layers: a tree, the network first. It is what the drawings show, for the keyboard and for readers.
const MOST_FOUND = 500;

const tree = {
  open: new Set([0]),

  draw() {
    const table = el("table");
    table.setAttribute("role", "treegrid");
    table.setAttribute("aria-label", "layers");
    const head = el("thead");
    head.append(row([["layer"], ["kind"], ["output"], ["params", "number"], [chosen().unit, "number"], ["share", "number"]], "th"));
    const body = el("tbody");
    const [shown, rest] = this.shown();
    for (const node of shown) body.append(this.row(node));
    table.append(head, body);
    byId("tree").replaceChildren(table);
    byId("found").textContent = this.query() ? `${(shown.length + rest).toLocaleString("en-US")} found${rest ? `, the first ${MOST_FOUND} shown` : ""}` : "";
    (body.querySelector("[aria-selected=true]") || body.firstChild)?.setAttribute("tabindex", 0);
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
    const made = el("tr");
    made.dataset.i = node.i;
    made.setAttribute("tabindex", -1);
    made.setAttribute("aria-level", searching ? 1 : node.depth + 1);
    made.setAttribute("aria-selected", node.i === state.selected);
    const branches = node.kids.length && !searching;
    if (branches) made.setAttribute("aria-expanded", this.open.has(node.i));
    const name = el("td");
    name.style.paddingLeft = `${8 + (searching ? 0 : Math.min(node.depth, 20) * 13)}px`;
    name.append(el("span", "twist", branches ? (this.open.has(node.i) ? "▾" : "▸") : ""), searching ? node.name : node.label);
    name.title = node.name;
    const kind = el("td", node.status === "free" ? "quiet" : "");
    const dot = el("span", "dot");
    dot.style.background = node.kids.length ? "transparent" : color(node.family);
    kind.append(dot, what(node));
    kind.title = [node.source, node.note].filter(Boolean).join(": ");
    const unknown = node.status === "unknown" && !node.sumCount.n;
    const count = unknown ? "unknown" : `${node.unknown ? "≥ " : ""}${exact(node.sumCount)}`;
    made.append(name, kind, el("td", "", node.output), el("td", "number", exact(node.sumParams)), el("td", "number", count), el("td", "number", shareOf(node)));
    return made;
  },

  toggle(node, open = !this.open.has(node.i)) {
    if (open) this.open.add(node.i);
    else this.open.delete(node.i);
    this.draw();
  },

  // Moves what the tabulator reaches to a row, if it is shown.
  reach(i) {
    const found = byId("tree").querySelector(`tr[data-i="${i}"]`);
    if (!found) return null;
    for (const other of byId("tree").querySelectorAll("tr[tabindex='0']")) other.setAttribute("tabindex", -1);
    found.setAttribute("tabindex", 0);
    return found;
  },

  focus(i) {
    const found = this.reach(i);
    if (!found) return;
    found.focus({ preventScroll: true });
    found.scrollIntoView({ block: "nearest" });
  },

  selected(node) {
    const shut = above(node).slice(1).filter((around) => !this.open.has(around.i));
    for (const around of shut) this.open.add(around.i);
    if (shut.length) this.draw();
    const box = byId("tree");
    box.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", false);
    const found = this.reach(node.i);
    found?.setAttribute("aria-selected", true);
    if (found && (found.offsetTop < box.scrollTop + 30 || found.offsetTop > box.scrollTop + box.clientHeight - 40)) box.scrollTop = found.offsetTop - box.clientHeight / 2;
  },

  key(event) {
    const at = event.target.closest("tr[data-i]");
    if (!at) return;
    const node = nodes[at.dataset.i];
    const steps = {
      ArrowDown: () => at.nextSibling && this.focus(at.nextSibling.dataset.i),
      ArrowUp: () => at.previousSibling && this.focus(at.previousSibling.dataset.i),
      Home: () => this.focus(at.parentNode.firstChild.dataset.i),
      End: () => this.focus(at.parentNode.lastChild.dataset.i),
      ArrowRight: () => {
        if (node.kids.length && !this.open.has(node.i)) this.toggle(node, true);
        this.focus(node.i);
      },
      ArrowLeft: () => {
        const closes = node.kids.length && this.open.has(node.i);
        if (closes) this.toggle(node, false);
        this.focus(closes ? node.i : node.parent);
      },
      Enter: () => this.pick(node),
      " ": () => this.pick(node),
    };
    if (!steps[event.key]) return;
    event.preventDefault();
    steps[event.key]();
  },

  pick(node) {
    select(node.i, true);
    this.focus(node.i);
  },

  start() {
    const box = byId("tree");
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("click", (event) => {
      const at = event.target.closest("tr[data-i]");
      if (!at) return;
      const node = nodes[at.dataset.i];
      if (node.kids.length && !this.query()) this.toggle(node);
      this.pick(node);
    });
    byId("find").addEventListener("input", () => this.draw());
  },
};
