// Pictures to keep: the drawing with its colours and fonts written into it, as SVG or as PNG.
const KEPT = ["fill", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "font-size", "font-weight"];

function pictureOf(svg, box) {
  const copy = svg.cloneNode(true);
  const [from, to] = [svg.querySelectorAll("*"), copy.querySelectorAll("*")];
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    to[i].removeAttribute("class");
    to[i].removeAttribute("style");
    to[i].removeAttribute("tabindex");
    for (const name of KEPT) {
      const value = style.getPropertyValue(name);
      if (value && value !== "none" && value !== "normal") to[i].setAttribute(name, value);
      else if (name === "fill") to[i].setAttribute(name, "none");
    }
  });
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("font-family", "sans-serif");
  if (box) {
    copy.setAttribute("viewBox", `${box.x} ${box.y} ${box.w} ${box.h}`);
    copy.setAttribute("width", box.w);
    copy.setAttribute("height", box.h);
  }
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
    const paper = canvas.getContext("2d");
    paper.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--card");
    paper.fillRect(0, 0, canvas.width, canvas.height);
    paper.drawImage(image, 0, 0, canvas.width, canvas.height);
    give(canvas.toDataURL("image/png"), name);
  });
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture)}`;
}

// Adds the two buttons to a section's heading.
function saves(heading, drawn, what, box) {
  const group = el("span", "save");
  const file = `${(document.title.split(" - ")[0] || "network").replace(/[^A-Za-z0-9.-]+/g, "-").slice(0, 60)}-${what}`;
  const picture = () => pictureOf(drawn().querySelector("svg"), box?.());
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
