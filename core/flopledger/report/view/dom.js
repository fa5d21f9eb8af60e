// Elements. Names from files reach the page through textContent and setAttribute alone, never as markup.
const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);

// A name may have a million letters, which take half a minute to lay out: a label and a text have the first of them.
const [LABEL, TEXT] = [200, 3000];

function cut(text, most = LABEL) {
  return text.length > most ? `${text.slice(0, most)}… (${digits(text.length)} characters)` : text;
}

function el(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = cut(text, TEXT);
  return made;
}

function draw(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "fill") made.style.fill = value;
    else made.setAttribute(name, value);
  }
  if (text !== undefined) made.textContent = cut(text, tag === "title" ? TEXT : LABEL);
  return made;
}

function rect(x, y, width, height, more) {
  return draw("rect", { x, y, width, height, ...more });
}

function letters(x, y, text, className = "", more = {}) {
  return draw("text", { x, y, class: className, ...more }, text);
}

// The texts of an element are words of their own, for those who hear or copy them.
function words(...parts) {
  return parts.flatMap((part) => (part.tagName === "text" ? [part, " "] : part));
}

// The name of what can be operated: first what one sees on it, since one says that to a computer that listens.
function named(element, ...more) {
  const seen = [...element.querySelectorAll("text")].map((each) => each.firstChild?.data).filter(Boolean);
  element.setAttribute("aria-label", cut([seen.join(" "), ...more].filter(Boolean).join(", ").replace(/\s+/g, " ")));
}

// An "img" hides its parts from screen readers; one with parts to operate is a "group".
function drawing(width, height, label, role = "img") {
  return draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role, "aria-label": cut(label) });
}

function on(id, type, action) {
  byId(id).addEventListener(type, action);
}

function show(id, visible = true) {
  byId(id).hidden = !visible;
}

// A patch of colour with its words.
function legendItem(family, words) {
  const item = el("span");
  const patch = el("i");
  patch.style.background = color(family);
  item.append(patch, words);
  return item;
}

const color = (family) => `var(--${family})`;
const onColor = (family) => `var(--on-${family})`;

const [plain, bold] = ["", "600 "].map((weight) => {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `${weight}11px ${getComputedStyle(document.body).fontFamily}`;
  return pen;
});
const widths = new Map();

function widthOf(whole, strong = false) {
  const text = cut(whole);
  const key = `${strong}${text}`;
  let found = widths.get(key);
  if (found === undefined) {
    found = (strong ? bold : plain).measureText(text).width;
    widths.set(key, found);
  }
  return found;
}

// A text that fits, cut with an ellipsis if at least a few of its letters do; else nothing.
function fitted(whole, width, strong = false) {
  const text = cut(whole);
  if (widthOf(text, strong) <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (widthOf(`${text.slice(0, middle)}…`, strong) <= width) low = middle;
    else high = middle - 1;
  }
  return low >= 4 ? `${text.slice(0, low)}…` : "";
}

// Makes an element act on click, Enter and Space.
function acts(element, action) {
  element.addEventListener("click", action);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    action(event);
  });
}

function row(cells, tag = "td") {
  const made = el("tr");
  for (const [text, className] of cells) made.append(el(tag, className, text));
  return made;
}

// With a key for each, rows can be picked.
function tableOf(headers, rows, keys) {
  const table = el("table");
  const head = el("thead");
  head.append(row(headers, "th"));
  const body = el("tbody");
  rows.forEach((cells, k) => {
    body.append(row(cells));
    if (keys) keyed(body.lastChild, keys[k]).tabIndex = k ? -1 : 0;
  });
  if (keys) table.setAttribute("role", "grid");
  table.append(head, body);
  return table;
}
