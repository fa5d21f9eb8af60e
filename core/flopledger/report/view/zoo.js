// A zoo: a scatter of parameters against operations, and a table to sort and search.
const data = JSON.parse(byId("data").textContent);
const EDGE = { left: 64, right: 20, top: 14, bottom: 40 };
const HEIGHT = 420;
const shown = { convention: 0, find: "", column: 0, down: false, picked: null };
const heads = ["network", "status", "input", "parameters", "operations"];

// A row is [name, status, input, parameters, [figure, ...], page]; a figure or a page may be null.
const value = (text) => (text === null || !/^[0-9]+$/.test(String(text)) ? null : ratio(BigInt(text)));
const nets = data.rows.map((one, k) => {
  const [name, status, input, params, figures, page] = one;
  return { k, name, status, input, page, params: value(params), paramsText: params, figures, figuresOf: figures.map(value) };
});
const figure = (net) => net.figuresOf[shown.convention];
const figureText = (net) => {
  const found = figure(net);
  return found ? exact(found) : String(net.figures[shown.convention] ?? "");
};
const cells = (net) => [net.name, net.status, net.input ?? "", net.params ? exact(net.params) : String(net.paramsText ?? ""), figureText(net)];

function chosen() {
  const words = shown.find.toLowerCase().split(/\s+/).filter(Boolean);
  const found = nets.filter((net) => words.every((word) => net.name.toLowerCase().includes(word)));
  const key = [(net) => net.name, (net) => net.status, (net) => net.input, (net) => net.params, figure][shown.column];
  const order = (a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === null || y === null) return (x === null) - (y === null); // what has none comes last, always
    return (shown.down ? -1 : 1) * compared(x, y);
  };
  const compared = (x, y) => {
    if (typeof x === "object") return less(x, y) ? -1 : Number(less(y, x));
    return typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true });
  };
  return found.sort(order);
}

function drawTable(found) {
  const table = tableOf(heads.map((text, k) => [k === 4 ? data.conventions[shown.convention] : text, k > 2 ? "number" : ""]), []);
  [...table.querySelectorAll("th")].forEach((head, k) => {
    head.tabIndex = 0;
    head.setAttribute("aria-sort", k !== shown.column ? "none" : shown.down ? "descending" : "ascending");
    if (k === shown.column) head.append(shown.down ? " ▼" : " ▲");
    acts(head, () => {
      shown.down = k === shown.column ? !shown.down : k > 2;
      shown.column = k;
      refresh();
      byId("zoo").querySelectorAll("th")[k].focus();
    });
  });
  const body = table.querySelector("tbody");
  for (const net of found) {
    const line = row(cells(net).map((text, k) => [text, k > 2 ? "number" : k === 1 && text !== "ok" ? "alarm" : ""]));
    if (net.page) {
      const link = el("a", "", net.name);
      link.href = net.page;
      line.firstChild.replaceChildren(link);
    }
    line.id = `row${net.k}`;
    body.append(line);
  }
  byId("zoo").replaceChildren(table);
}

// The powers of ten around some figures, so that all of them are between two.
function decades(values) {
  const logs = values.map((one) => Math.log10(double(one)));
  const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))];
  return [low, high > low ? high : low + 1];
}

const inParams = (x) => short(x).replace("G", "B"); // parameters are counted in billions
const power10 = (exponent) => short(ratio(10n ** BigInt(exponent)));

function drawScatter(found) {
  const points = found.filter((net) => net.params?.n > 0n && figure(net)?.n > 0n);
  const width = Math.max(320, byId("scatter").clientWidth);
  const svg = drawing(width, HEIGHT, "parameters against operations");
  byId("scatter").replaceChildren(svg);
  if (!points.length) return;
  const [xs, ys] = [decades(points.map((net) => net.params)), decades(points.map(figure))];
  const x = (log) => EDGE.left + ((log - xs[0]) / (xs[1] - xs[0])) * (width - EDGE.left - EDGE.right);
  const y = (log) => HEIGHT - EDGE.bottom - ((log - ys[0]) / (ys[1] - ys[0])) * (HEIGHT - EDGE.top - EDGE.bottom);
  for (let k = xs[0]; k <= xs[1]; k += 1) {
    svg.append(draw("line", { x1: x(k), x2: x(k), y1: EDGE.top, y2: HEIGHT - EDGE.bottom, class: "frame" }));
    if (k >= 0) svg.append(letters(x(k), HEIGHT - EDGE.bottom + 16, power10(k).replace("G", "B"), "quiet middle"));
  }
  for (let k = ys[0]; k <= ys[1]; k += 1) {
    svg.append(draw("line", { x1: EDGE.left, x2: width - EDGE.right, y1: y(k), y2: y(k), class: "frame" }));
    if (k >= 0) svg.append(letters(EDGE.left - 8, y(k) + 4, power10(k), "quiet end"));
  }
  svg.append(letters(width - EDGE.right, HEIGHT - 8, "parameters", "quiet end"));
  svg.append(letters(8, EDGE.top + 4, data.units[shown.convention], "quiet"));
  for (const net of points) {
    const point = draw("circle", {
      cx: x(Math.log10(double(net.params))), cy: y(Math.log10(double(figure(net)))), r: 4,
      fill: color(net.status === "ok" ? "conv" : "unknown"), "fill-opacity": 0.75, tabindex: 0,
    });
    const words = `${net.name}: ${inParams(net.params)} parameters, ${short(figure(net))} ${data.units[shown.convention]}`;
    point.append(draw("title", {}, words));
    point.addEventListener("focus", () => (byId("point").textContent = words));
    point.addEventListener("mouseenter", () => (byId("point").textContent = words));
    acts(point, () => byId(`row${net.k}`).scrollIntoView({ block: "center" }));
    svg.append(point);
  }
}

function refresh() {
  const found = chosen();
  byId("found").textContent = shown.find ? `${digits(found.length)} of ${digits(nets.length)}` : "";
  drawScatter(found);
  drawTable(found);
}

byId("name").textContent = cut(document.title.replace(/ - flopledger$/, ""));
byId("sub").textContent = `${digits(nets.length)} networks`;
byId("foot").textContent = data.provenance;
data.conventions.forEach((name, k) => {
  const option = el("option", "", name);
  option.value = k;
  byId("convention").append(option);
});
on("convention", "change", (event) => {
  shown.convention = Number(event.target.value);
  refresh();
});
on("find", "input", (event) => {
  shown.find = event.target.value;
  refresh();
});
addEventListener("resize", () => drawScatter(chosen()));
const begun = performance.now();
refresh();
saves(byId("scatter-section").querySelector("h2"), () => byId("scatter"), "scatter");
document.documentElement.dataset.drawn = Math.round(performance.now() - begun);
