// Starts the page: the head, the controls, and the views that its data are for.
function tile(text, small, words, title) {
  const made = el("div", "tile");
  const strong = el("b", "", text);
  strong.append(el("small", "", small));
  made.append(strong, el("span", "", words));
  made.title = title;
  return made;
}

const head = {
  draw() {
    const whole = net.conventions[state.convention];
    const tiles = [this.tile(whole)];
    if (whole.params !== null) {
      const params = compiled(whole.params)(state.symbols);
      tiles.push(tile(split(params)[0], split(params)[1], `parameters: ${exact(params)}`, "as the convention counts them"));
    }
    const time = net.conventions.find((one) => one.unit === "ps");
    if (time && time !== whole) tiles.push(this.tile(time));
    byId("tiles").replaceChildren(...tiles);
    const said = [...whole.adjustments.map((line) => `In the total beside the rows: ${line}`), ...net.notes];
    if (net.cut) said.unshift(`This page is cut: it has ${net.cut[0].toLocaleString("en-US")} rows for ${net.cut[1].toLocaleString("en-US")} calls; the others are in the sums of those above them.`);
    byId("said").textContent = said.join("  ");
    show("said", said.length > 0);
    for (const button of byId("metric").children) button.setAttribute("aria-pressed", button.dataset.metric === state.metric);
  },

  tile(convention) {
    const count = compiled(convention.count)(state.symbols);
    const [shown, prefix] = split(count);
    const scaled = convention.unit === "ps" ? TIMES[prefix] : prefix + convention.unit;
    return tile((convention.complete ? "" : "at least ") + shown, scaled, `${convention.name}: ${exact(count)} ${convention.unit}`, convention.title);
  },

  start() {
    byId("sub").textContent = [net.framework, ...net.inputs].join(" · ");
    net.conventions.forEach((convention, k) => {
      const option = el("option", "", `${convention.name} (${convention.unit})`);
      option.value = k;
      byId("convention").append(option);
    });
    byId("convention").addEventListener("change", (event) => {
      state.convention = Number(event.target.value);
      refresh();
    });
    for (const [metric, words] of [["count", "operations"], ["params", "parameters"]]) {
      const button = el("button", "", words);
      button.dataset.metric = metric;
      button.addEventListener("click", () => {
        state.metric = metric;
        refresh();
      });
      byId("metric").append(button);
    }
    byId("without").addEventListener("change", (event) => {
      state.without = event.target.checked;
      bars.draw();
    });
    show("controls");
  },
};

function listUnknown(lines) {
  if (!lines?.length) return;
  const list = el("ul");
  for (const line of lines) list.append(el("li", "", line));
  byId("unknown").append(el("b", "", "Unknown, so not in the total: "), list);
  show("unknown");
}

// Whether every tensor of the network has a size at these values; without one its figures mean nothing.
const sizes = (data.sizes || []).map(compiled);
const fits = (symbols) => sizes.map((size) => size(symbols)).every((size) => size.formula || size.n >= size.d);

// The smallest value of a symbol that fits, while the others are as they are.
function smallest(name) {
  let [low, high] = [0n, state.symbols.get(name)];
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (fits(new Map(state.symbols).set(name, middle))) high = middle;
    else low = middle;
  }
  return String(high);
}

function sized() {
  for (const input of byId("symbols").querySelectorAll("input")) input.min = smallest(input.dataset.symbol);
}

// Sets a symbol to what is written; where that is no size for the network, words stand in place of all figures.
function setSymbol(name, written) {
  const valid = /^[1-9][0-9]{0,8}$/.test(written);
  if (valid) state.symbols.set(name, BigInt(written));
  const small = /^-?[0-9]+$/.test(written) ? `${name} = ${written} is too ${written.length > 9 ? "large" : "small"} for this network` : `${name} needs a whole number`;
  const wrong = !valid || !fits(state.symbols);
  byId("small").textContent = wrong ? `No figures: ${small}.` : "";
  document.body.classList.toggle("small", wrong);
  if (wrong) return;
  sized();
  refresh();
}

// What a symbol is at first: the usual size, or a larger one if the network is too small at that.
function firstSizes(names) {
  for (const name of names) state.symbols.set(name, { N: 1n, B: 1n }[name] ?? (/^(H|W)/.test(name) ? 224n : 128n));
  for (let k = 0; k < 12 && !fits(state.symbols); k += 1) {
    for (const [name, size] of state.symbols) if (size > 1n) state.symbols.set(name, 2n * size);
  }
}

// Each symbol has a slider and a field; all figures are formulas, which are evaluated exactly.
function sliders() {
  const names = new Set([...(net?.symbols || []), ...(data.symbols || [])]);
  firstSizes(names);
  for (const name of [...names].sort()) {
    const first = Number(state.symbols.get(name));
    const label = el("label", "", `${name} = `);
    const [slider, field] = ["range", "number"].map((type) => {
      const input = el("input");
      Object.assign(input, { type, min: 1, max: type === "range" ? first * 8 : 1e9, value: first, step: 1 });
      input.dataset.symbol = name;
      input.setAttribute("aria-label", `${name}, as a ${type === "range" ? "slider" : "number"}`);
      return input;
    });
    for (const [input, other] of [[slider, field], [field, slider]]) {
      input.addEventListener("input", () => {
        other.value = input.value;
        setSymbol(name, input.value);
      });
    }
    label.append(slider, field);
    byId("symbols").append(label);
  }
  sized();
  show("symbols", names.size > 0);
}

function startNetwork() {
  grow();
  for (const id of ["icicle", "bars", "flow", "tree"]) show(`${id}-section`);
  views.push(head, icicle, bars, flow, tree);
  head.start();
  sum();
  flow.start();
  tree.start();
  openLargest();
  tree.open = new Set(flows.open);
  for (const view of views) view.draw();
  icicle.resized = icicle.draw;
  bars.resized = bars.draw;
  const heading = (id) => byId(`${id}-section`).querySelector("h2");
  saves(heading("icicle"), () => byId("icicle"), "map");
  saves(heading("bars"), () => byId("bars"), "bars");
  saves(heading("flow"), () => byId("flow"), "flow", () => ({ x: 0, y: -4, w: flow.size.w, h: flow.size.h + 8 }));
}

function resized() {
  if (document.body.classList.contains("small")) return;
  for (const view of views) view.resized?.();
}

const begun = performance.now();
byId("name").textContent = document.title.replace(/ - flopledger$/, "");
sliders();
listUnknown(net?.unknown || data.unknown);
if (net) startNetwork();
for (const found of data.explanations || []) explain(found);
if (data.comparison) compare(data.comparison);
const lines = [...(net?.provenance || []), ...(data.comparison?.provenance || []), ...(net ? [] : data.explanations || []).map((found) => found.provenance)];
byId("foot").append(...lines.map((line) => el("p", "", line)));
let waiting;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(resized, 120);
});
document.documentElement.dataset.drawn = String(Math.round(performance.now() - begun));
