// The head of a network's page with its controls, and the start of the network's views.
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
      const params = worth(whole.params);
      tiles.push(tile(split(params)[0], split(params)[1], `parameters: ${exact(params)}`, "as the convention counts them"));
    }
    const time = net.conventions.find((one) => one.unit === "ps");
    if (time && time !== whole) tiles.push(this.tile(time));
    byId("tiles").replaceChildren(...tiles);
    const said = [...whole.adjustments.map(([count, what]) => `In the total beside the rows: ${exact(worth(count))} ${whole.unit}: ${what}`), ...net.notes];
    if (net.cut) said.unshift(`This page is cut: it has ${digits(net.cut[0])} rows for ${digits(net.cut[1])} calls; the others are in the sums of those above them.`);
    byId("said").textContent = said.map((line) => cut(line, TEXT)).join("  ");
    show("said", said.length > 0);
    for (const button of byId("metric").children) button.setAttribute("aria-pressed", button.dataset.metric === state.metric);
  },

  tile(convention) {
    const count = worth(convention.count);
    const [shown, prefix] = split(count);
    const scaled = convention.unit === "ps" ? TIMES[prefix] : prefix + convention.unit;
    return tile((convention.complete ? "" : "at least ") + shown, scaled, `${convention.name}: ${convention.complete ? "" : "≥ "}${exact(count)} ${convention.unit}`, convention.title);
  },

  start() {
    byId("sub").textContent = cut([net.framework, ...net.inputs].join(" · "));
    net.conventions.forEach((convention, k) => {
      const option = el("option", "", `${convention.name} (${convention.unit})`);
      option.value = k;
      byId("convention").append(option);
    });
    on("convention", "change", (event) => {
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
    on("without", "change", (event) => {
      state.without = event.target.checked;
      bars.draw();
    });
    show("metric", net.conventions.some((one) => one.params !== null));
    show("controls");
  },
};

function startNetwork() {
  grow();
  for (const id of ["icicle", "bars", "flow", "tree"]) show(`${id}-section`);
  views.push({ draw: sum }, head, icicle, bars, flow, tree);
  head.start();
  sum();
  // A file of weights alone has no operations to count: what can be seen of it is its parameters.
  if (!root().value.n && !root().value.formula && root().sumParams.n) {
    state.metric = "params";
    sum();
  }
  flow.start();
  tree.start();
  openLargest();
  tree.open = new Set(flows.open);
  refresh();
  icicle.resized = icicle.draw;
  bars.resized = bars.draw;
  const heading = (id) => byId(`${id}-section`).querySelector("h2");
  saves(heading("icicle"), () => byId("icicle"), "map");
  saves(heading("bars"), () => byId("bars"), "bars");
  saves(heading("flow"), () => byId("flow"), "flow");
}
