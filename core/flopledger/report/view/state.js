// What a page is about, what is chosen and selected on it, and its views: each has draw(), and may have resized()
// and selected(node, reveal).
const data = JSON.parse(byId("data").textContent);
const net = data.network;
const nodes = [];
const state = { convention: 0, metric: "count", selected: -1, focus: 0, without: false, symbols: new Map() };
const views = [];

const worth = (written) => compiled(written)(state.symbols);

// A figure by its number.
const figures = [];
const figureAt = (number) => (figures[number] ??= compiled(data.figures[number]));

// A text in which every other part is a formula.
const phrase = (parts) => [parts].flat().map((part, k) => (k % 2 ? exact(worth(part)).replaceAll(",", "") : part)).join("");

function refresh() {
  for (const view of views) view.draw();
}

// What belongs together, by keys: a cause and its layers, a reason and the pairs that it is about. An element stands
// for the keys in its data-i; the number of a node is its key.
const links = new Map();
let lit = new Set();

function link(one, other) {
  for (const [a, b] of [[one, other], [other, one]]) links.set(a, (links.get(a) || new Set()).add(b));
}

function mark(element) {
  const on = element.dataset.i.split(" ").some((key) => lit.has(key));
  element.setAttribute(element.tagName === "TR" ? "aria-selected" : "aria-current", on);
}

function keyed(element, key) {
  element.dataset.i = key;
  mark(element);
  return element;
}

// Marks in every view what a key stands for and what belongs to it. A view that scrolls shows the first of it, but
// the one that was used stays as it is.
function light(key, used) {
  lit = new Set([String(key), ...(links.get(String(key)) || [])]);
  for (const element of document.querySelectorAll("[data-i]")) mark(element);
  for (const box of document.querySelectorAll(".drawing")) {
    const found = box.querySelector("[aria-current=true], [aria-selected=true]");
    if (found?.tagName === "TR") reach(found);
    if (found && !box.contains(used)) bring(box, found);
  }
}

function bring(box, element) {
  const [inner, outer] = [element, box].map((each) => each.getBoundingClientRect());
  if (inner.top < outer.top + 30 || inner.bottom > outer.bottom) box.scrollTop += inner.top - outer.top - Math.max(40, (outer.height - inner.height) / 2);
  if (inner.left < outer.left || inner.right > outer.right) box.scrollLeft += inner.left - outer.left - Math.max(40, (outer.width - inner.width) / 2);
}

function select(i, reveal, used) {
  state.selected = i;
  for (const view of views) view.selected?.(nodes[i], reveal);
  light(i, used);
}

// Of the rows of a table, the tabulator reaches one.
function reach(line) {
  for (const other of line.parentNode.querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
  line.tabIndex = 0;
}

// A click, Enter or Space picks a row; the arrow keys walk over the rows.
function walks(box, pick, more = () => ({})) {
  const walk = (line) => {
    if (!line) return;
    reach(line);
    line.focus({ preventScroll: true });
    line.scrollIntoView({ block: "nearest" });
  };
  const at = (event) => event.target.closest("tr[data-i]");
  box.addEventListener("click", (event) => at(event) && pick(at(event), true));
  box.addEventListener("keydown", (event) => {
    const line = at(event);
    const steps = line && {
      ArrowDown: () => walk(line.nextSibling),
      ArrowUp: () => walk(line.previousSibling),
      Home: () => walk(line.parentNode.firstChild),
      End: () => walk(line.parentNode.lastChild),
      Enter: () => pick(line),
      " ": () => pick(line),
      ...more(line),
    };
    if (!steps?.[event.key]) return;
    event.preventDefault();
    steps[event.key]();
  });
  return walk;
}
