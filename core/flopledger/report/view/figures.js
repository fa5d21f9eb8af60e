// Exact figures. A figure is a fraction of whole numbers of any length, {n, d}, with d > 0: counts pass 2^53,
// where a double loses units, and some tools divide. Drawings use doubles; every text is exact.
const ZERO = { n: 0n, d: 1n };

function ratio(n, d = 1n) {
  if (d === 1n) return { n, d };
  if (d < 0n) [n, d] = [-n, -d];
  let [a, b] = [n < 0n ? -n : n, d];
  while (b) [a, b] = [b, a % b];
  return { n: n / a, d: d / a };
}

function add(x, y) {
  if (x.formula || y.formula) return unsolved([x, y].filter((each) => each.n || each.formula).map(exact).join(" + "));
  return x.d === 1n && y.d === 1n ? { n: x.n + y.n, d: 1n } : ratio(x.n * y.d + y.n * x.d, x.d * y.d);
}


const times = (x, y) => ratio(x.n * y.n, x.d * y.d);
const over = (x, y) => (y.n === 0n ? ZERO : ratio(x.n * y.d, x.d * y.n));
const negative = (x) => ({ n: -x.n, d: x.d });
const less = (x, y) => x.n * y.d < y.n * x.d;
const same = (x, y) => x.n === y.n && x.d === y.d;

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

// A figure whose symbols have no values is its formula: it has no length, and is never taken for a 0.
const unsolved = (formula) => ({ ...ZERO, formula });

// A figure as it travels: a number, or the text of a whole number, of p/q, or of a formula in Python's syntax.
// Returns a function of the symbols' values. Formulas are parsed here; nothing is ever evaluated as code.
function compiled(written) {
  if (typeof written === "number") return constant(ratio(BigInt(written)));
  if (/^-?[0-9]+$/.test(written)) return constant(ratio(BigInt(written)));
  const [value, names] = parsed(written);
  return (symbols) => (names.every((name) => symbols.has(name)) ? value(symbols) : unsolved(written));
}

function constant(value) {
  return () => value;
}

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

// For lengths only.
function double(x) {
  return x.d === 1n ? Number(x.n) : Number(x.n) / Number(x.d);
}

function digits(n) {
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

// In full: digits in groups, a fraction as p/q.
function exact(x) {
  if (x.formula) return x.formula;
  return x.d === 1n ? digits(x.n) : `${digits(x.n)}/${digits(x.d)}`;
}

function signedText(x) {
  return x.n < 0n || x.formula?.startsWith("-") ? exact(x) : `+${exact(x)}`;
}

const PREFIXES = [[1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

// In short, as [digits, prefix]: four digits, as everywhere in flopledger.
function split(x) {
  const value = double(x);
  for (const [scale, prefix] of PREFIXES) {
    if (Math.abs(value) * 100000 >= 99995 * scale) return [String(Number((value / scale).toPrecision(4))), prefix];
  }
  return [exact(x), ""];
}

// The prefixes of picoseconds, in which times are.
const TIMES = { "": "ps", k: "ns", M: "µs", G: "ms", T: "s" };

function short(x) {
  return split(x).join(" ").trim();
}

function percent(part, whole) {
  if (!whole.n) return "";
  const share = (100 * double(part)) / double(whole);
  return part.n && share < 0.05 ? "<0.1 %" : `${share.toFixed(1)} %`;
}
