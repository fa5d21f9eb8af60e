// Formulas and the sliders of their symbols; a page has this only where a figure is a formula.
const times = (x, y) => ratio(x.n * y.n, x.d * y.d);
const over = (x, y) => (y.n === 0n ? ZERO : ratio(x.n * y.d, x.d * y.n));
const negative = (x) => ({ n: -x.n, d: x.d });

// As Python's //: rounded down, also below zero.
function floored(x, y) {
  const q = over(x, y);
  const down = q.n / q.d;
  return ratio(q.n % q.d < 0n ? down - 1n : down);
}

function power(x, y) {
  const n = y.n < 0n ? over(ratio(1n), x) : x;
  const exponent = y.n < 0n ? -y.n : y.n;
  return ratio(n.n ** exponent, n.d ** exponent);
}

// Parses a formula in Python's syntax; returns a function of the symbols' values, and the symbols.
function parsed(written) {
  const tokens = written.match(/[0-9]+|[A-Za-z_][A-Za-z0-9_]*|\*\*|\/\/|[-+*\/(),]/g) || [];
  const names = [];
  let at = 0;
  const take = (token) => tokens[at] === token && (at += 1) > 0;
  const joined = (operand, operators) => () => {
    let left = operand();
    for (let apply; (apply = operators[tokens[at]]) && Object.hasOwn(operators, tokens[at]); ) {
      at += 1;
      const [a, b] = [left, operand()];
      left = (symbols) => apply(a(symbols), b(symbols));
    }
    return left;
  };
  function atom() {
    const token = tokens[at];
    at += 1;
    if (token === "(") {
      const inner = sum();
      take(")");
      return inner;
    }
    if (/^[0-9]/.test(token)) return constant(ratio(BigInt(token)));
    if (take("(")) {
      const parts = [sum()];
      while (take(",")) parts.push(sum());
      take(")");
      const better = token === "min" ? less : (a, b) => less(b, a);
      return (symbols) => parts.map((part) => part(symbols)).reduce((a, b) => (better(b, a) ? b : a));
    }
    names.push(token);
    return (symbols) => ratio(symbols.get(token));
  }
  function raised() {
    const base = atom();
    if (!take("**")) return base;
    const exponent = signed();
    return (symbols) => power(base(symbols), exponent(symbols));
  }
  function signed() {
    if (!take("-")) return raised();
    const inner = signed();
    return (symbols) => negative(inner(symbols));
  }
  const product = joined(signed, { "*": times, "/": over, "//": floored });
  const sum = joined(product, { "+": add, "-": (a, b) => add(a, negative(b)) });
  return [sum(), names];
}

// Whether every tensor of the network has a size at these values; without one its figures mean nothing.
const sizes = data.sizes.map(compiled);
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
  for (const name of names) state.symbols.set(name, /^([NB]|[Bb]atch.*)$/.test(name) ? 1n : /^[HW]/.test(name) ? 224n : 128n);
  for (let k = 0; k < 12 && !fits(state.symbols); k += 1) {
    for (const [name, size] of state.symbols) if (size > 1n) state.symbols.set(name, 2n * size);
  }
}

// Each symbol has a slider and a field; all figures are formulas, which are evaluated exactly.
function sliders() {
  firstSizes(data.symbols);
  for (const name of data.symbols) {
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
  show("symbols");
}

