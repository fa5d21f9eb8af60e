// The data flow: boxes with name, kind, figure and share; blocks open and close.
const HINT = "click or Enter opens";
const camera = { x: 0, y: 0, w: 1, h: 1, set: false };

const flow = {
  draw() {
    const box = byId("flow");
    flows.cut = 0;
    const found = layout(root());
    const hints = [flows.cut ? `cut: the first ${MOST_BOXES} boxes of a block, ${flows.cut.toLocaleString("en-US")} more are in the table` : HINT];
    if (net.cut) hints.push(`${net.cut[2].toLocaleString("en-US")} calls are left out: no box of their own`);
    byId("flow-hint").textContent = hints.join("; ");
    const svg = draw("svg", { width: "100%", height: "100%", role: "group", "aria-label": `${net.source}: data flow`, tabindex: 0 });
    const marker = draw("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 6, markerHeight: 6, orient: "auto" });
    marker.append(draw("path", { d: "M0,0.8 L7,4 L0,7.2", fill: "none", stroke: "var(--quiet)" }));
    const defs = draw("defs", {});
    defs.append(marker);
    svg.append(defs);
    this.paint(found, svg, 0, 0);
    svg.addEventListener("keydown", (event) => this.pan(event));
    box.replaceChildren(svg);
    this.size = found;
    if (camera.set) this.look();
    else this.fit(false);
    if (state.selected >= 0) this.card(nodes[state.selected]);
  },

  paint(found, into, dx, dy) {
    for (const points of found.edges) into.append(draw("path", { class: "edge", d: curve(points, dx, dy), "marker-end": "url(#arrow)" }));
    for (const box of found.boxes) {
      const [x, y] = [box.x + dx, box.y + dy];
      if (box.port) {
        into.append(draw("circle", { cx: x + 4.5, cy: y + 4.5, r: 4, class: "frame" }));
        continue;
      }
      into.append(this.box(box, x, y));
      if (box.inner) this.paint(box.inner, into, x + (box.w - box.inner.w) / 2, y + 24);
    }
  },

  box(box, x, y) {
    const { node, members } = box;
    const group = draw("g", { class: `${box.inner ? "group" : "node"}${node.i === state.selected ? " selected" : ""}`, "data-i": node.i, tabindex: 0, role: "button" });
    if (members.length > 1) for (const by of [8, 4]) group.append(draw("rect", { class: "frame", x: x + by, y: y + by, width: box.w, height: box.h, rx: 7 }));
    group.append(draw("rect", { class: "frame", x, y, width: box.w, height: box.h, rx: 7 }));
    const value = boxSum(box);
    const unknown = node.status === "unknown" && !value.n;
    const figure = unknown ? "unknown" : value.n ? `${bounded(node)}${briefly(value)}` : "";
    const share = unknown ? "" : value.n ? percent(value, root().value) : "";
    if (box.inner) this.title(group, box, x, y, [figure, share].filter(Boolean).join(" · "));
    else this.face(group, box, x, y, figure, share);
    if (node.kids.length) group.setAttribute("aria-expanded", Boolean(box.inner));
    group.setAttribute("aria-label", `${boxLabel(box)}, ${what(node)}, ${figure} ${unit()} ${share}`);
    group.append(draw("title", {}, `${node.name}\n${node.source}\n${node.input} → ${node.output}`));
    acts(group, (event) => {
      event.stopPropagation();
      if (!this.moved) this.toggle(box);
    });
    return group;
  },

  title(group, box, x, y, figure) {
    group.append(draw("text", { x: x + 11, y: y + 17, class: "strong" }, `▾ ${boxLabel(box)}`));
    group.append(draw("text", { x: x + box.w - 9, y: y + 17, "text-anchor": "end", class: "quiet" }, figure));
  },

  face(group, box, x, y, figure, share) {
    const { node } = box;
    const [room, length] = [box.w - 26, box.w - 19];
    const tail = node.kids.length ? " ▸" : "";
    const part = root().length ? Math.max(0, Math.min(1, double(boxSum(box)) / root().length)) : 0;
    group.append(draw("rect", { x, y, width: 5, height: box.h, rx: 2.5, fill: color(node.main) }));
    group.append(draw("rect", { x: x + 11, y: y + box.h - 7, width: length, height: 3, rx: 1.5, fill: "var(--band)" }));
    if (part) group.append(draw("rect", { x: x + 11, y: y + box.h - 7, width: Math.max(length * part, 1), height: 3, rx: 1.5, fill: color(node.main) }));
    group.append(draw("text", { x: x + 11, y: y + 16, class: "strong" }, fitted(boxLabel(box), room - widthOf(figure), true)));
    group.append(draw("text", { x: x + box.w - 8, y: y + 16, "text-anchor": "end", class: node.status === "unknown" ? "alarm" : "quiet" }, figure));
    group.append(draw("text", { x: x + 11, y: y + 30, class: "quiet" }, fitted(what(node) + tail, room - widthOf(share))));
    group.append(draw("text", { x: x + box.w - 8, y: y + 30, "text-anchor": "end", class: "quiet" }, share));
  },

  toggle(box) {
    const { node } = box;
    if (node.kids.length) flows.open.has(node.i) ? flows.open.delete(node.i) : flows.open.add(node.i);
    select(node.i);
    if (node.kids.length) this.draw();
    byId("flow").querySelector(`[data-i="${node.i}"]`)?.focus({ preventScroll: true });
  },

  selected(node, reveal) {
    if (reveal) {
      const shut = above(node).slice(1).filter((around) => !flows.open.has(around.i));
      for (const around of shut) flows.open.add(around.i);
      if (shut.length) this.draw();
      this.center(node);
    }
    for (const group of byId("flow").querySelectorAll(".selected")) group.classList.remove("selected");
    byId("flow").querySelector(`[data-i="${node.i}"]`)?.classList.add("selected");
    this.card(node);
  },

  // The keyboard reaches boxes that are outside the camera; a pointer doesn't.
  follow(focused) {
    byId("flow").scrollTop = byId("flow").scrollLeft = 0;
    if (!focused.dataset.i || !focused.matches(":focus-visible")) return;
    const [inner, outer] = [focused.firstChild, byId("flow")].map((element) => element.getBoundingClientRect());
    const inside = inner.top >= outer.top && inner.left >= outer.left && inner.top + 42 <= outer.bottom && inner.left + 42 <= outer.right;
    if (!inside) this.center(nodes[focused.dataset.i]);
  },

  center(node) {
    const frame = byId("flow").querySelector(`[data-i="${node.i}"] > .frame`);
    if (!frame) return;
    const at = (name) => Number(frame.getAttribute(name));
    camera.x = at("x") + Math.min(at("width"), camera.w) / 2 - camera.w / 2;
    camera.y = at("y") + Math.min(at("height"), camera.h) / 2 - camera.h / 2;
    this.look();
  },

  card(node) {
    const card = byId("card");
    card.replaceChildren(el("b", "", node.name));
    const list = el("dl");
    const put = (word, text) => text && list.append(el("dt", "", word), el("dd", "", text));
    put("kind", `${node.kind} ${node.attributes}`.trim());
    put("source", node.source);
    put("input", node.input);
    put("output", node.output);
    for (const [k, convention] of net.conventions.entries()) {
      const mine = node.status === "unknown" && !node.kids.length;
      put(convention.name, mine ? "unknown" : `${node.unknown ? "≥ " : ""}${exact(totalOf(node, k))} ${convention.unit}`);
    }
    put("params", exact(node.sumParams));
    put("share", shareOf(node));
    put("bound by", net.bounds[node.i]);
    put("note", node.note);
    card.append(list);
    card.hidden = false;
  },

  look() {
    byId("flow").firstChild.setAttribute("viewBox", `${camera.x} ${camera.y} ${camera.w} ${camera.h}`);
  },

  // The whole width; the whole height too where asked for.
  fit(whole) {
    const box = byId("flow");
    if (!camera.set) box.style.height = `${Math.min(640, Math.max(280, this.size.h + 40))}px`;
    const shape = box.clientWidth / box.clientHeight;
    let w = Math.max(this.size.w + 24, box.clientWidth / 1.15);
    if (whole) w = Math.max(this.size.w + 24, (this.size.h + 20) * shape);
    Object.assign(camera, { x: this.size.w / 2 - w / 2, y: -6, w, h: w / shape, set: true });
    this.look();
  },

  zoom(factor, fx = 0.5, fy = 0.5) {
    camera.x += camera.w * fx * (1 - factor);
    camera.y += camera.h * fy * (1 - factor);
    camera.w *= factor;
    camera.h *= factor;
    this.look();
  },

  pan(event) {
    const by = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    const factor = { "+": 0.8, "=": 0.8, "-": 1.25 }[event.key];
    if (!by && !factor) return;
    event.preventDefault();
    if (factor) {
      this.zoom(factor);
      return;
    }
    camera.x += by[0] * camera.w * 0.1;
    camera.y += by[1] * camera.h * 0.1;
    this.look();
  },

  start() {
    sortEdges();
    const box = byId("flow");
    let from = null;
    box.addEventListener("wheel", (event) => {
      event.preventDefault();
      const place = box.getBoundingClientRect();
      this.zoom(Math.exp(event.deltaY * 0.0015), (event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height);
    }, { passive: false });
    box.addEventListener("pointerdown", (event) => {
      from = event;
      this.moved = false;
    });
    box.addEventListener("pointermove", (event) => {
      if (!from || !event.buttons) return;
      const scale = camera.w / box.clientWidth;
      if (Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > 3) this.moved = true;
      camera.x -= (event.clientX - from.clientX) * scale;
      camera.y -= (event.clientY - from.clientY) * scale;
      from = event;
      this.look();
    });
    box.addEventListener("pointerup", () => (from = null));
    box.addEventListener("focusin", (event) => this.follow(event.target));
    byId("fit").addEventListener("click", () => this.fit(true));
    window.addEventListener("beforeprint", () => this.fit(true));
    byId("shut").addEventListener("click", () => {
      flows.open = new Set([0]);
      camera.set = false;
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
