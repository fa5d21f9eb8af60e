// The layout of the data flow. Laying out 2,000 calls at once takes minutes, so each open block is laid out by
// itself, its children as boxes and the edges lifted to them; a block inside a block is a box of its own size.
const flows = { inside: new Map(), open: new Set() };
const MOST_BOXES = 150;

// Leaves out the calls that only pass on what they get, and joins what is before them with what is behind. A free
// call with parameters stays: an embedding may have most of a language model's.
function bridgedEdges() {
  const [before, behind] = [new Map(), new Map()];
  const link = (a, b) => {
    if (a === b) return;
    if (!behind.has(a)) behind.set(a, new Set());
    if (!before.has(b)) before.set(b, new Set());
    behind.get(a).add(b);
    before.get(b).add(a);
  };
  for (let k = 0; k < net.edges.length; k += 2) link(net.edges[k], net.edges[k + 1]);
  for (const node of nodes) {
    const from = [...(before.get(node.i) || [])];
    if (node.kids.length || node.status !== "free" || node.ownParams.n || from.length > 1) continue;
    const to = [...(behind.get(node.i) || [])];
    if (!from.length && (node.kind === "input" || !to.length)) continue;
    node.hidden = true;
    for (const a of from) behind.get(a).delete(node.i);
    for (const b of to) before.get(b).delete(node.i);
    before.delete(node.i);
    behind.delete(node.i);
    for (const a of from) for (const b of to) link(a, b);
  }
  return [...behind].flatMap(([a, ends]) => [...ends].map((b) => [a, b]));
}

// Puts each edge into the innermost block that has both its ends; an edge that enters a block from outside goes to
// the port of each block that it enters.
function sortEdges() {
  const into = (block, a, b) => {
    if (!flows.inside.has(block)) flows.inside.set(block, new Set());
    flows.inside.get(block).add(`${a} ${b}`);
  };
  for (const [a, b] of bridgedEdges()) {
    const [up, down] = [above(nodes[a]), above(nodes[b])];
    const shared = a < 0 ? root() : up.find((node) => down.includes(node));
    const left = a < 0 ? -1 : up[up.indexOf(shared) - 1]?.i;
    const entry = down[down.indexOf(shared) - 1];
    if (entry && left !== undefined) into(shared.i, left, entry.i);
    for (let k = down.indexOf(shared) - 1; k > 0; k -= 1) into(down[k].i, -1, down[k - 1].i);
  }
}

// Neighbours with the same content and numbered names become one box: "12 x h.0 ... h.11".
function boxesOf(block) {
  const boxes = [];
  for (const node of block.kids) {
    if (node.hidden) continue;
    const last = boxes[boxes.length - 1];
    const stem = (each) => each.label.replace(/[0-9]+$/, "");
    const alike = last && node.alike && node.alike === last.node.alike && stem(node) === stem(last.node);
    if (alike && /[0-9]$/.test(node.label)) {
      last.members.push(node);
    } else {
      boxes.push({ node, members: [node] });
    }
  }
  flows.cut = Math.max(flows.cut || 0, boxes.length - MOST_BOXES);
  return boxes.slice(0, MOST_BOXES);
}

function boxLabel(box) {
  const last = box.members[box.members.length - 1];
  return box.members.length > 1 ? `${box.members.length} × ${box.node.label} … ${last.label}` : box.node.label;
}

function boxSum(box) {
  return box.members.map((node) => node.value).reduce(add);
}

function layout(block) {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ nodesep: 14, ranksep: 26, marginx: 12, marginy: 10 });
  graph.setDefaultEdgeLabel(() => ({}));
  const boxes = boxesOf(block);
  const boxOf = new Map(boxes.flatMap((box) => box.members.map((node) => [node.i, box])));
  for (const box of boxes) {
    const [name, figure] = [widthOf(boxLabel(box), true), widthOf(`≥ ${short(boxSum(box))}`)];
    if (flows.open.has(box.node.i) && box.node.kids.length) {
      box.inner = layout(box.node);
      box.w = Math.max(box.inner.w, Math.min(name, 400) + figure + 90);
      box.h = box.inner.h + 26;
    } else {
      box.w = Math.max(124, Math.min(300, 36 + Math.max(name + figure, widthOf(what(box.node)) + 50)));
      box.h = 42;
    }
    graph.setNode(String(box.node.i), { width: box.w, height: box.h });
  }
  const port = { port: true, w: 9, h: 9 };
  for (const edge of flows.inside.get(block.i) || []) {
    const [a, b] = edge.split(" ").map(Number);
    const [from, to] = [boxOf.get(a), boxOf.get(b)];
    if (!to || from === to || (a >= 0 && !from)) continue;
    if (a < 0 && b !== to.node.i) continue;
    if (a < 0) graph.setNode("-1", { width: 9, height: 9 });
    graph.setEdge(a < 0 ? "-1" : String(from.node.i), String(to.node.i));
  }
  dagre.layout(graph);
  if (graph.hasNode("-1")) boxes.push(port);
  for (const box of boxes) {
    const { x, y } = graph.node(box.port ? "-1" : String(box.node.i));
    box.x = x - box.w / 2;
    box.y = y - box.h / 2;
  }
  const size = graph.graph();
  const edges = graph.edges().map((edge) => graph.edge(edge).points);
  return { boxes, edges, w: size.width || 150, h: size.height || 50 };
}

// What is open at first: the largest blocks, as far as a screen holds their children.
function openLargest() {
  const budget = 30;
  const count = (node) => boxesOf(node).length;
  flows.open = new Set([0]);
  let shown = count(root());
  const waiting = [...root().kids];
  while (waiting.length && shown < budget) {
    waiting.sort((a, b) => b.length - a.length);
    const node = waiting.shift();
    if (!node.kids.length || shown + count(node) > budget + 6) continue;
    if (node.alike && [...flows.open].some((i) => nodes[i].alike === node.alike)) continue;
    flows.open.add(node.i);
    shown += count(node);
    waiting.push(...node.kids);
  }
}
