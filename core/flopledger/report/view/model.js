// The network: its nodes, and their sums under the chosen convention.
const STATUSES = ["counted", "free", "ignored", "unknown", "container"];
const inOrder = [];
const around = [];

// The parents come first, and each row says how deep it is.
function nodeOf(head, i) {
  const [depth, part, cells] = net.heads[head];
  const parent = depth ? around[depth - 1] : -1;
  around[depth] = i;
  const [kind = 0, source = 0, output = 0, input = 0, attributes = 0, status = 0, note = 0, alike = 0, params = 0, ...counts] = net.cells[cells];
  const text = (number) => net.strings[number];
  const made = {
    i, parent, part, alike, kids: [], hidden: false,
    label: part.replace(/^[./](?=.)/, "") || "(network)",
    kind: text(kind), source: text(source), shapes: [output, input, attributes], status: STATUSES[status], note: text(note),
    depth, params: [params].flat().map(figureAt), counts: net.conventions.map((_, k) => figureAt(counts[k] ?? 0)),
  };
  made.family = made.status === "unknown" ? "unknown" : (Object.hasOwn(net.colors, made.kind) && net.colors[made.kind]) || "other";
  return made;
}

function grow() {
  nodes.push(...net.rows.map(nodeOf));
  for (const node of nodes) {
    const around = nodes[node.parent];
    node.path = around ? (around.path ? around.path + node.part : node.part) : "";
    node.name = node.path || node.label;
    if (around) around.kids.push(node);
  }
  edges();
  ownCalls();
}

// An edge is written as how far its reader is behind that of the edge before, and how far the maker before it.
function edges() {
  let reader = 0;
  net.edges = net.edges.flatMap((step, k, all) => (k % 2 ? [] : [(reader += step) - all[k + 1], reader]));
}

// In some networks a call has the path of a block: Caffe's block1 is the sum of what is in block1/conv1 and
// block1/conv2. The data flow ends at that call, so it is a box among the others of its block.
function ownCalls() {
  const ends = new Set(net.edges);
  const moved = new Map();
  for (const node of [...nodes]) {
    if (!node.kids.length || node.status === "container" || !ends.has(node.i)) continue;
    const own = { ...node, i: nodes.length, parent: node.i, depth: node.depth + 1, kids: [], alike: 0 };
    nodes.push(own);
    node.kids.unshift(own);
    moved.set(node.i, own.i);
    Object.assign(node, { status: "container", params: [constant(ZERO)], counts: node.counts.map(() => constant(ZERO)) });
  }
  net.edges = net.edges.map((end) => moved.get(end) ?? end);
  for (const waiting = [root()]; waiting.length; ) {
    const node = waiting.pop();
    inOrder.push(node);
    waiting.push(...[...node.kids].reverse());
  }
}

// Sums from the last node to the first, since a parent is always before its children.
function sum() {
  for (const node of nodes) {
    [node.output, node.input, node.attributes] = node.shapes.map((number) => phrase(net.strings[number]));
    node.sumParams = node.ownParams = (node.params[state.convention] ?? node.params[0])(state.symbols);
    node.sumCount = node.ownCount = node.counts[state.convention](state.symbols);
    node.unknown = node.status === "unknown" ? 1 : 0;
    node.families = new Map();
  }
  for (let i = nodes.length - 1; i >= 0; i -= 1) {
    const node = nodes[i];
    node.value = state.metric === "params" ? node.sumParams : node.sumCount;
    node.length = double(node.value);
    const own = double(state.metric === "params" ? node.ownParams : node.ownCount);
    if (!node.kids.length || (own && node.status !== "container")) node.families.set(node.family, own);
    node.main = mainFamily(node);
    const around = nodes[node.parent];
    if (!around) continue;
    around.sumParams = add(around.sumParams, node.sumParams);
    around.sumCount = add(around.sumCount, node.sumCount);
    around.unknown += node.unknown;
    for (const [family, size] of node.families) around.families.set(family, (around.families.get(family) || 0) + size);
  }
}

// The family that most of a block's figure is due to.
function mainFamily(node) {
  let [best, most] = [node.family, 0];
  for (const [family, size] of node.families) if (size > most) [best, most] = [family, size];
  return best;
}

const root = () => nodes[0];
const chosen = () => net.conventions[state.convention];
const unit = () => (state.metric === "params" ? "params" : chosen().unit);
// In short, a time with its unit.
function briefly(x) {
  const [shown, prefix] = split(x);
  return unit() === "ps" ? `${shown} ${TIMES[prefix]}` : short(x);
}

const bounded = (node) => (node.unknown && state.metric === "count" ? "≥ " : "");

// What is drawn of a node, written in full or in short.
function valueOf(node, write) {
  if (bounded(node) && !node.value.n) return "unknown";
  return `${bounded(node)}${write(node.value)}${unit() === "ps" && write === briefly ? "" : ` ${unit()}`}`;
}

// In full, with a unit: an unknown call has no figure, one of several that are unknown makes a lower bound.
function figureOf(node, value, unit = "") {
  return node.status === "unknown" && !value.n ? "unknown" : `${node.unknown ? "≥ " : ""}${exact(value)} ${unit}`.trim();
}

const shareOf = (node) => percent(node.value, root().value);

function shortClass(source) {
  return source.split(".").pop();
}

// What a node is, in words: a block's class, or a call's kind with its attributes.
function what(node) {
  if (node.status === "unknown" && !node.kids.length) return `unknown: ${node.source}`;
  if (node.status === "container") return shortClass(node.source);
  return [node.kind, node.attributes, node.note && `(${node.note})`].filter(Boolean).join(" ");
}

function above(node) {
  const found = [];
  for (let at = node; at; at = nodes[at.parent]) found.push(at);
  return found;
}
