// Starts the page: the views that its data are for.
function listUnknown(lines) {
  if (!lines.length) return;
  const list = el("ul");
  for (const line of lines) list.append(el("li", "", line));
  byId("unknown").append(el("b", "", "Unknown, so not in the total: "), list);
  show("unknown");
}

function resized() {
  if (document.body.classList.contains("small")) return;
  for (const view of views) view.resized?.();
}

const begun = performance.now();
byId("name").textContent = cut(document.title.replace(/ - flopledger$/, ""));
if (data.symbols?.length) sliders();
listUnknown(data.unknown);
if (net) startNetwork();
for (const [which, found] of (data.explanations || []).entries()) explain(found, which);
if (data.comparison) compare(data.comparison);
byId("foot").append(...data.provenance.map((line) => el("p", "", line)));
let waiting;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(resized, 120);
});
document.documentElement.dataset.drawn = String(Math.round(performance.now() - begun));
