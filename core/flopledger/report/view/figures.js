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

const less = (x, y) => x.n * y.d < y.n * x.d;

// A figure whose symbols have no values is its formula: it has no length, and is never taken for a 0.
const unsolved = (formula) => ({ ...ZERO, formula });

// A figure as it travels: a number, or the text of a whole number, of p/q, or of a formula in Python's syntax.
// Returns a function of the symbols' values. Formulas are parsed here; nothing is ever evaluated as code.
function compiled(written) {
  const plain = /^(-?[0-9]+)(?:\/([0-9]+))?$/.exec(written);
  if (plain) return constant(ratio(BigInt(plain[1]), BigInt(plain[2] ?? 1)));
  const [value, names] = parsed(written);
  return (symbols) => (names.every((name) => symbols.has(name)) ? value(symbols) : unsolved(written));
}

function constant(value) {
  return () => value;
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

const rounded = (value) => ratio(BigInt(Math.round(value)));
const shortDouble = (value) => short(rounded(value));

function percent(part, whole) {
  if (!whole.n) return "";
  const share = (100 * double(part)) / double(whole);
  return part.n && share < 0.05 ? "<0.1 %" : `${share.toFixed(1)} %`;
}
