// Pictures to keep: the drawing with its colours and fonts written into it, as SVG or as PNG. They are for paper, so
// they are light on a background of their own, and every colour is #rrggbb, which all programs that read SVG know.
const KEPT = ["fill", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "font-size", "font-weight", "text-anchor"];

function hex(color) {
  const [red, green, blue] = color.match(/[0-9.]+/g);
  return `#${[red, green, blue].map((part) => Number(part).toString(16).padStart(2, "0")).join("")}`;
}

function pictureOf(svg) {
  const copy = svg.cloneNode(true);
  document.documentElement.classList.add("paper");
  const [from, to] = [svg.querySelectorAll("*"), copy.querySelectorAll("*")];
  from.forEach((element, i) => {
    if (element.tagName === "title") return;
    const style = getComputedStyle(element);
    for (const { name } of [...to[i].attributes]) if (/^(class|style|tabindex|role|aria-.*|data-.*)$/.test(name)) to[i].removeAttribute(name);
    for (const name of KEPT) {
      const value = style.getPropertyValue(name);
      if (value && !/^(none|normal|start|400)$/.test(value)) to[i].setAttribute(name, value.startsWith("rgb") ? hex(value) : value);
      else if (name === "fill") to[i].setAttribute(name, "none");
    }
  });
  const { x, y, width, height } = svg.viewBox.baseVal;
  const paper = getComputedStyle(document.documentElement).getPropertyValue("--card").trim();
  document.documentElement.classList.remove("paper");
  const background = rect(x, y, width, height);
  background.setAttribute("fill", paper);
  copy.prepend(background);
  for (const [name, value] of Object.entries({ xmlns: SVG, "font-family": "sans-serif", width, height })) copy.setAttribute(name, value);
  return new XMLSerializer().serializeToString(copy);
}

function give(url, name) {
  const link = el("a");
  link.href = url;
  link.download = name;
  link.click();
}

function asPng(picture, name) {
  const image = new Image();
  image.addEventListener("load", () => {
    const canvas = el("canvas");
    // A canvas has a limit of about 16,000 points a side; a long network is scaled down to it.
    const scale = Math.min(2, 16000 / Math.max(image.width, image.height));
    canvas.width = image.width * scale;
    canvas.height = image.height * scale;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    give(canvas.toDataURL("image/png"), name);
  });
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture)}`;
}

// Adds the two buttons to a section's heading.
function saves(heading, drawn, what) {
  const group = el("span", "save");
  const file = `${(document.title.split(" - ")[0] || "network").replace(/[^A-Za-z0-9.-]+/g, "-").slice(0, 60)}-${what}`;
  const picture = () => pictureOf(drawn().querySelector("svg"));
  for (const form of ["SVG", "PNG"]) {
    const button = el("button", "", form);
    button.setAttribute("aria-label", `save ${what} as ${form}`);
    button.addEventListener("click", () => {
      if (form === "PNG") asPng(picture(), `${file}.png`);
      else give(URL.createObjectURL(new Blob([picture()], { type: "image/svg+xml" })), `${file}.svg`);
    });
    group.append(button, " ");
  }
  heading.append(group);
}
